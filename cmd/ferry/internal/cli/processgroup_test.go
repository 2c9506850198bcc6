//go:build unix

package cli

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/ferrymq/ferrymq/client"
)

// pulse sees how long a shell and what it starts live: as long as any of
// them has its pipe open.
type pulse struct {
	t    *testing.T
	path string
	born chan struct{}
	dead chan error // io.EOF
}

func newPulse(t *testing.T) *pulse {
	t.Helper()
	w := &pulse{t, filepath.Join(t.TempDir(), "alive"), make(chan struct{}), make(chan error, 1)}
	require.NoError(t, syscall.Mkfifo(w.path, 0o600))
	go func() {
		f, err := os.Open(w.path) // waits for the shell
		if err != nil {
			w.dead <- err
			return
		}
		defer f.Close()
		_ = f.SetReadDeadline(time.Now().Add(time.Minute)) // of a test that fails
		r := bufio.NewReader(f)
		if _, err = r.ReadString('\n'); err == nil {
			close(w.born)
			_, err = r.ReadByte()
		}
		w.dead <- err
	}()
	return w
}

// begin is the beginning of a script: it starts a child, which the shell's end
// alone does not end.
func (w *pulse) begin() string {
	return `exec 9>` + strconv.Quote(w.path) + `; echo begun >&9; sleep 600 & `
}

func (w *pulse) alive() {
	w.t.Helper()
	select {
	case <-w.born:
	case err := <-w.dead:
		require.NoError(w.t, err)
	case <-time.After(time.Minute):
		require.Fail(w.t, "it was not started")
	}
}

func (w *pulse) gone() {
	w.t.Helper()
	require.ErrorIs(w.t, <-w.dead, io.EOF, "what the command started goes on")
}

// TestCommandEndsWithItsLease: what a command started is not left at work beside
// the next attempt.
func TestCommandEndsWithItsLease(t *testing.T) {
	w := newPulse(t)
	ctx, lose := context.WithCancelCause(t.Context())
	lost := errors.New("lease lost")
	go func() {
		<-w.born
		lose(lost)
	}()
	_, err := command{line: w.begin() + "wait", log: io.Discard}.run(ctx, &client.Delivery{})
	require.ErrorIs(t, err, lost)
	w.gone()

	w = newPulse(t)
	_, err = command{line: w.begin() + "exit 75", log: io.Discard}.run(t.Context(), &client.Delivery{})
	require.Error(t, err)
	w.gone()
}

// TestCommandHasNoTerminal: one that asks somebody fails, and does not wait for
// ever in the background.
func TestCommandHasNoTerminal(t *testing.T) {
	c := exec.Command("cat")
	in, err := c.StdinPipe()
	require.NoError(t, err)
	detach(c)
	require.NoError(t, c.Start())
	session, err := unix.Getsid(c.Process.Pid)
	require.NoError(t, in.Close())
	require.NoError(t, c.Wait())
	require.NoError(t, err)
	require.Equal(t, c.Process.Pid, session)
}

// TestReplyEndsItsCommands: neither a stop that takes too long, nor a second
// signal, nor a pipe that nobody reads leaves a command behind.
func TestReplyEndsItsCommands(t *testing.T) {
	caught := make(chan os.Signal, 1) // so that the processes do not ignore it, as under nohup
	signal.Notify(caught, syscall.SIGHUP)
	t.Cleanup(func() { signal.Stop(caught) })
	for _, c := range []struct {
		name, timeout string
		signals       []os.Signal
		code          int
	}{
		{"patience", "5s", []os.Signal{os.Interrupt}, ExitUnavailable},
		{"twice", "10m", []os.Signal{os.Interrupt, syscall.SIGTERM}, ExitFailed},
		{"hangup", "5s", []os.Signal{syscall.SIGHUP, syscall.SIGHUP}, ExitUnavailable},
		{"quit", "10m", []os.Signal{syscall.SIGQUIT}, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			n, w := newFakeNode(t), newPulse(t)
			requested(t, n, []string{"chair"})
			p := startProgram(t, "reply", "prices", "--exec", w.begin()+"wait", "--url", n.url, "--timeout", c.timeout)
			w.alive()
			for _, s := range c.signals {
				require.NoError(t, p.cmd.Process.Signal(s))
			}
			require.Equal(t, c.code, p.exit(t), p.err.String())
			w.gone()
		})
	}
	t.Run("nobody reads", func(t *testing.T) { // as head does, when it has its lines
		t.Parallel()
		n, w := newFakeNode(t), newPulse(t)
		requested(t, n, []string{"long", "short"})
		nobody := filepath.Join(t.TempDir(), "nobody")
		script := `if [ "$(cat)" = short ]; then while ! [ -e ` + strconv.Quote(nobody) + ` ]; do sleep 0.01; done; exit 0; fi; `
		r, out, err := os.Pipe()
		require.NoError(t, err)
		p := startProgramTo(t, out, "reply", "prices", "--exec", script+w.begin()+"wait", "--concurrency", "2", "--url", n.url, "--timeout", "5s")
		require.NoError(t, out.Close())
		w.alive()
		require.NoError(t, r.Close())
		require.NoError(t, os.WriteFile(nobody, nil, 0o600))
		require.Equal(t, ExitUnavailable, p.exit(t), p.err.String())
		w.gone()
	})
}
