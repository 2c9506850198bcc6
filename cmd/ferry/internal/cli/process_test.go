package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ferrymq/ferrymq/jepsen/nodes"
)

// TestMain lets this test binary be the program: real processes can then be
// signalled and killed.
func TestMain(m *testing.M) {
	if os.Getenv("FERRY_TEST_IS_PROGRAM") != "" {
		os.Exit(Main())
	}
	os.Exit(m.Run())
}

// program is the program as a process.
type program struct {
	cmd *exec.Cmd
	err bytes.Buffer
}

func startProgram(t *testing.T, args ...string) *program {
	t.Helper()
	return startProgramTo(t, nil, args...)
}

// startProgramTo has it write to somebody; nil: to nobody.
func startProgramTo(t *testing.T, out io.Writer, args ...string) *program {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	p := &program{cmd: exec.Command(self, args...)}
	p.cmd.Env = append(os.Environ(), "FERRY_TEST_IS_PROGRAM=1")
	p.cmd.Stdout, p.cmd.Stderr = out, &p.err
	require.NoError(t, p.cmd.Start())
	t.Cleanup(func() {
		if p.cmd.ProcessState == nil {
			_ = p.cmd.Process.Kill() // it may just have ended
			_ = p.cmd.Wait()         // the test has failed already
		}
	})
	return p
}

// exit waits for the process and returns its code, -1 if a signal ended it.
func (p *program) exit(t *testing.T) int {
	t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- p.cmd.Wait() }()
	select {
	case err := <-ended:
		if _, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
			t.Fatal(err)
		}
	case <-time.After(time.Minute):
		require.NoError(t, p.cmd.Process.Kill())
		<-ended
		t.Fatalf("it did not end:\n%s", p.err.String())
	}
	return p.cmd.ProcessState.ExitCode()
}

// oneNode is a cluster of one `ferry server` process.
type oneNode struct {
	args      []string
	url, http string
}

func newOneNode(t *testing.T) *oneNode {
	t.Helper()
	a, err := nodes.Loopback(0) // it is started again at the same ones
	require.NoError(t, err)
	return &oneNode{
		url: "ferry://" + a.Clients, http: a.HTTP,
		args: []string{"server", "--node", "one", "--data", filepath.Join(t.TempDir(), "data"), "--listen", a.Clients,
			"--gossip", a.Gossip, "--http", a.HTTP, "--bootstrap-expect", "1"},
	}
}

func (o *oneNode) start(t *testing.T) *program {
	t.Helper()
	p := startProgram(t, o.args...)
	require.Eventually(t, func() bool { return ferry(t, nil, "", "health", "--http", o.http).code == ExitOK },
		time.Minute, 20*time.Millisecond, "the node is not ready")
	return p
}

// TestServerProcess: a clean stop, a kill, and the lock on the data folder.
func TestServerProcess(t *testing.T) {
	o := newOneNode(t)
	env := map[string]string{"FERRY_URL": o.url, "FERRY_TIMEOUT": patience}
	p := o.start(t)
	require.Equal(t, ExitOK, ferry(t, env, "", "queue", "create", "q").code)
	require.Equal(t, ExitOK, ferry(t, env, "", "publish", "q", "before the stop").code)

	second := startProgram(t, o.args...)
	require.Equal(t, ExitLocked, second.exit(t), second.err.String())
	require.Contains(t, second.err.String(), "another process uses the data folder")

	require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM))
	require.Equal(t, ExitOK, p.exit(t), p.err.String())

	p = o.start(t)
	require.Equal(t, ExitOK, ferry(t, env, "", "publish", "q", "before the kill").code)
	require.NoError(t, p.cmd.Process.Kill())
	require.Equal(t, -1, p.exit(t))

	p = o.start(t)
	require.Equal(t, "before the stop\nbefore the kill\n", ferry(t, env, "", "consume", "q", "--count", "2").out)
	require.NoError(t, p.cmd.Process.Signal(os.Interrupt))
	require.Equal(t, ExitOK, p.exit(t), p.err.String())
}

// TestServerStorage: stores that cannot be opened have an exit code of their own.
func TestServerStorage(t *testing.T) {
	o := newOneNode(t)
	data := o.args[4]
	require.NoError(t, os.MkdirAll(data, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(data, "group-0"), nil, 0o600))
	p := startProgram(t, o.args...)
	require.Equal(t, ExitStorage, p.exit(t), p.err.String())
}

// TestSecondSignal: who asks twice does not wait for a clean end.
func TestSecondSignal(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, l.Close()) }()
	// Nobody answers there, so the command stays until its timeout.
	p := startProgram(t, "publish", "q", "m", "--url", "ferry://"+l.Addr().String(), "--timeout", "10m")
	conn, err := l.Accept()
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close()) }()
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM))
	code := p.exit(t)
	require.Contains(t, []int{ExitInterrupted, ExitFailed}, code, strconv.Itoa(code))
}

// TestCountWithoutAcks: who wants some messages at most once is assigned no others.
func TestCountWithoutAcks(t *testing.T) {
	o := newOneNode(t)
	env := map[string]string{"FERRY_URL": o.url, "FERRY_TIMEOUT": patience}
	o.start(t)
	require.Equal(t, ExitOK, ferry(t, env, "", "queue", "create", "q").code)
	var all []string
	for i := range 60 {
		all = append(all, strconv.Itoa(i)+"\n")
	}
	require.Equal(t, ExitOK, ferry(t, env, strings.Join(all, ""), "publish", "q", "--lines").code)
	for _, n := range []int{1, 4, 30, 25} {
		r := ferry(t, env, "", "consume", "q", "--no-ack", "--count", strconv.Itoa(n))
		require.Equal(t, ExitOK, r.code, r.err)
		require.Equal(t, strings.Join(all[:n], ""), r.out)
		all = all[n:]
	}
}

// TestRemovedNode: a node that a person removed ends and says so.
func TestRemovedNode(t *testing.T) {
	d := startDev(t)
	var follower string
	require.Eventually(t, func() bool {
		follower = ""
		for _, m := range status(t, d).Members {
			if !m.Leader && m.Healthy {
				follower = m.Node
			}
		}
		return follower != ""
	}, time.Minute, 50*time.Millisecond)
	d.run(t, ExitOK, "", "cluster", "remove", follower)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	select {
	case r := <-d.ended:
		require.Equal(t, ExitRemoved, r.code, r.err)
		require.Contains(t, r.err, fmt.Sprintf("%s: ", follower))
	case <-ctx.Done():
		t.Fatal("the removed node goes on")
	}
}

// TestKilledSubscriber: a subscription of a session goes soon after its command
// was killed. Until then another one is told why it cannot have it.
func TestKilledSubscriber(t *testing.T) {
	o := newOneNode(t)
	env := map[string]string{"FERRY_URL": o.url, "FERRY_TIMEOUT": patience}
	o.start(t)
	require.Equal(t, ExitOK, ferry(t, env, "", "topic", "create", "events").code)
	p := startProgram(t, "topic", "subscribe", "events", "watch", "--session", "--session-expiry", "1s", "--url", o.url)
	shows := func(code int) func() bool {
		return func() bool { return ferry(t, env, "", "queue", "show", "watch").code == code }
	}
	require.Eventually(t, shows(ExitOK), time.Minute, 10*time.Millisecond)
	r := ferry(t, env, "", "topic", "subscribe", "events", "watch", "--session")
	require.Equal(t, ExitRefused, r.code)
	require.Contains(t, r.err, "it belongs to another session")
	require.NoError(t, p.cmd.Process.Kill())
	require.Equal(t, -1, p.exit(t))
	require.Eventually(t, shows(ExitNotFound), time.Minute, 50*time.Millisecond)
}
