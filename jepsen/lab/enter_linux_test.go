package lab_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ferrymq/ferrymq/jepsen/lab"
)

// actVariable makes this test's program play a part in a run of its own.
const actVariable = "FERRY_LAB_TEST_ACT"

var refused error

func TestMain(m *testing.M) {
	refused = lab.Enter()
	if act := os.Getenv(actVariable); act != "" {
		os.Exit(play(act))
	}
	os.Exit(m.Run())
}

// isolated fails a test by name when there is no isolation.
func isolated(t *testing.T) {
	t.Helper()
	require.NoError(t, refused)
}

// play is what a program does inside, for the tests that look from outside.
func play(act string) int {
	if refused != nil {
		fmt.Println(refused)
		return 1
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM)
	switch act {
	case "status":
		fmt.Fprintln(os.Stderr, "to standard error")
		return 7
	case "wait":
		if err := syscall.Mount("tmpfs", lab.Dir, "tmpfs", 0, "size=1m"); err != nil {
			fmt.Println(err)
			return 1
		}
		// A process that listens to no signal, and one that nobody waits for.
		for _, script := range []string{"trap '' TERM INT HUP; sleep 1000", "sleep 1000 & sleep 1000 &"} {
			if err := exec.Command("/bin/sh", "-c", script).Start(); err != nil {
				fmt.Println(err)
				return 1
			}
		}
		for _, ns := range namespaceKinds {
			fmt.Println(link(filepath.Join("/proc/self/ns", ns)))
		}
		<-signals
		return 9
	}
	return 1
}

var namespaceKinds = []string{"pid", "mnt", "net", "ipc"}

func link(path string) string {
	target, err := os.Readlink(path)
	if err != nil {
		return err.Error()
	}
	return target
}

// run starts this program anew, as a user would.
func run(ctx context.Context, act string) (*exec.Cmd, *bytes.Buffer) {
	c := exec.CommandContext(ctx, "/proc/self/exe")
	c.Env = append(os.Environ(), actVariable+"="+act)
	errors := new(bytes.Buffer)
	c.Stderr = errors
	return c, errors
}

func TestStatusAndOutputComeOut(t *testing.T) {
	isolated(t)
	c, stderr := run(t.Context(), "status")
	err := c.Run()
	require.Equal(t, 7, c.ProcessState.ExitCode(), "%v", err)
	require.Equal(t, "to standard error\n", stderr.String())
}

// waiting starts a run and returns when it waits, with the namespaces it has.
func waiting(t *testing.T, c *exec.Cmd) []string {
	t.Helper()
	out, err := c.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	lines := bufio.NewScanner(out)
	var ns []string
	for len(ns) < len(namespaceKinds) && lines.Scan() {
		ns = append(ns, lines.Text())
	}
	for i, kind := range namespaceKinds {
		require.Regexp(t, kind+`:\[\d+\]`, ns[i])
		require.NotEqual(t, link("/proc/self/ns/"+kind), ns[i])
	}
	require.NotEmpty(t, users(ns))
	return ns
}

// users lists every process that is in one of the namespaces or holds it open.
func users(ns []string) []string {
	var found []string
	for _, pattern := range []string{"/proc/[0-9]*/task/*/ns/*", "/proc/[0-9]*/fd/*"} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			panic(err) // the patterns are constant
		}
		for _, p := range paths {
			if target, err := os.Readlink(p); err == nil && strings.Contains(strings.Join(ns, " "), target) {
				found = append(found, p+" "+target)
			}
		}
	}
	return found
}

func mounts(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("/proc/self/mountinfo")
	require.NoError(t, err)
	return string(text)
}

// However a run ends, nothing of it is left: no process, hence no namespace,
// and no mount out here.
func TestNothingIsLeft(t *testing.T) {
	isolated(t)
	for _, end := range ends {
		t.Run(end.by.String(), func(t *testing.T) {
			c, _ := run(t.Context(), "wait")
			testEnd(t, c, end)
		})
	}
}

// end is a way in which a run ends, and the status that comes out.
type end struct {
	by   syscall.Signal
	code int
}

var ends = []end{{syscall.SIGKILL, -1}, {syscall.SIGTERM, 9}, {syscall.SIGINT, 128 + int(syscall.SIGINT)}}

func testEnd(t *testing.T, c *exec.Cmd, end end) {
	before := mounts(t)
	ns := waiting(t, c)
	require.Equal(t, before, mounts(t))
	require.NoError(t, c.Process.Signal(end.by))
	err := c.Wait()
	require.Equal(t, end.code, c.ProcessState.ExitCode(), "%v", err)
	require.Eventually(t, func() bool { return len(users(ns)) == 0 }, soon, 10*time.Millisecond)
	require.Equal(t, before, mounts(t))
}

// Process 1 waits for the children of those that ended before them.
func TestOrphansAreReaped(t *testing.T) {
	isolated(t)
	out, err := exec.Command("/bin/sh", "-c", "/bin/sh -c 'exec sleep 0.05' >/dev/null & echo $!").Output()
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		_, err := os.Stat("/proc/" + strings.TrimSpace(string(out)))
		return os.IsNotExist(err)
	}, soon, 10*time.Millisecond)
}

// byNobody is run without root. Programs are found in the folder that it gives
// too, which everybody may read and programs may change their user in.
func byNobody(t *testing.T, act string) (c *exec.Cmd, dir string) {
	t.Helper()
	isolated(t)
	dir = filepath.Join(filepath.Dir(lab.Dir), "programs")
	require.NoError(t, os.Mkdir(dir, 0o755))
	require.NoError(t, syscall.Mount("tmpfs", dir, "tmpfs", 0, "mode=755"))
	t.Cleanup(func() {
		require.NoError(t, syscall.Unmount(dir, syscall.MNT_DETACH))
		require.NoError(t, os.Remove(dir))
	})
	// A copy, because the original lies where others may not look.
	program := filepath.Join(dir, "program")
	text, err := os.ReadFile("/proc/self/exe")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(program, text, 0o755))
	c = exec.Command(program)
	c.Env = []string{actVariable + "=" + act, "PATH=" + dir}
	c.Dir = "/"
	c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	return c, dir
}

const nobody = 65534

// Who may not isolate is told so, by name.
func TestWithoutRootItSaysSo(t *testing.T) {
	c, _ := byNobody(t, "status")
	out, err := c.Output()
	require.Error(t, err)
	require.Contains(t, string(out), lab.ErrNotRoot.Error())
}

// With a sudo that asks for no password, everything is as with root, although
// nobody may send it a signal.
func TestSudoIsAsGoodAsRoot(t *testing.T) {
	c, dir := byNobody(t, "status")
	sudo := filepath.Join(dir, "sudo")
	text, err := os.ReadFile(build(t, "./testdata/sudo"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(sudo, text, 0o755))
	require.NoError(t, os.Chmod(sudo, 0o755|os.ModeSetuid))
	err = c.Run()
	require.Equal(t, 7, c.ProcessState.ExitCode(), "%v", err)
	for _, end := range ends {
		t.Run(end.by.String(), func(t *testing.T) {
			again := exec.Command(c.Path)
			again.Env, again.Dir, again.SysProcAttr = c.Env, c.Dir, c.SysProcAttr
			again.Env = append(again.Env, actVariable+"=wait")
			testEnd(t, again, end)
		})
	}
}

// The variable alone makes nobody believe to be isolated.
func TestTheStageIsNotBelieved(t *testing.T) {
	isolated(t)
	c, _ := run(t.Context(), "wait")
	c.Env = append(c.Env, "FERRY_LAB_STAGE=inside")
	out, err := c.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	lines := bufio.NewScanner(out)
	require.True(t, lines.Scan())
	require.NotEqual(t, link("/proc/self/ns/pid"), lines.Text())
	require.NoError(t, c.Process.Kill())
	require.Error(t, c.Wait())
}
