//go:build linux

package ferryfs

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Some things need a process of their own: one that can be killed, and one
// that maps files, which the process that serves the mount must not.

// runRole is what such a process does. It says what it did line by line.
func runRole(role string) (code int) {
	name, dir, _ := strings.Cut(role, " ")
	do := map[string]func(string) error{
		"hold": holdMount, "map": mapFile, "sync": syncOnce,
		"bolt": boltWrite, "bolt-nosync": boltWriteNoSync, "bolt-check": boltCheck,
		"wal": walWrite, "wal-check": walCheck,
	}[name]
	if do == nil {
		fmt.Println("no role", role)
		return 2
	}
	// A library may panic on what a power loss left: raft-wal does.
	defer func() {
		if v := recover(); v != nil {
			fmt.Println("error: panic:", v)
			code = 1
		}
	}()
	if err := do(dir); err != nil {
		fmt.Println("error:", err)
		return 1
	}
	return 0
}

// actor is a process in a role.
type actor struct {
	cmd   *exec.Cmd
	lines chan string // closed at the end of its output
}

func act(t testing.TB, cmd *exec.Cmd, role, dir string) *actor {
	t.Helper()
	cmd.Env = append(os.Environ(), roleEnv+"="+role+" "+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	a := &actor{cmd: cmd, lines: make(chan string, 1<<16)}
	go func() {
		defer close(a.lines)
		for s := bufio.NewScanner(out); s.Scan(); {
			a.lines <- s.Text()
		}
	}()
	t.Cleanup(func() { a.kill() })
	return a
}

func plain() *exec.Cmd {
	cmd := exec.Command("/proc/self/exe")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

// next gives a line of output; ok is false at the end.
func (a *actor) next(t testing.TB) (line string, ok bool) {
	t.Helper()
	select {
	case line, ok = <-a.lines:
		return line, ok
	case <-time.After(soon):
		require.Fail(t, "the process says nothing")
		return "", false
	}
}

// kill ends it, and returns what it had said and nobody has read.
func (a *actor) kill() (unread []string) {
	if a.cmd.Process == nil {
		return nil
	}
	if err := a.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return []string{err.Error()}
	}
	for line := range a.lines {
		unread = append(unread, line)
	}
	_ = a.cmd.Wait()
	return unread
}

// run lets a role end by itself, and returns its last line.
func run(t testing.TB, role, dir string) string {
	t.Helper()
	a := act(t, plain(), role, dir)
	last := ""
	for {
		line, ok := a.next(t)
		if !ok {
			return last
		}
		last = line
	}
}

// soon is how long something may take on a machine with other work to do.
const soon = time.Minute

// forever is for a process that waits to be killed, and is bounded if nobody does.
func forever() error {
	time.Sleep(5 * soon)
	return errors.New("nobody killed me")
}
