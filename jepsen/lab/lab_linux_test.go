package lab_test

import (
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
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/jepsen/lab"
	"github.com/ferrymq/ferrymq/jepsen/lab/wire"
	"github.com/ferrymq/ferrymq/jepsen/nodes"
)

func build(t *testing.T, path string) string {
	t.Helper()
	isolated(t)
	binary := filepath.Join(t.TempDir(), filepath.Base(path))
	out, err := exec.Command("go", "build", "-o", binary, path).CombinedOutput()
	require.NoError(t, err, string(out))
	return binary
}

// newLab makes a lab with hosts n1 and so on.
func newLab(t *testing.T, hosts int) *lab.Lab {
	t.Helper()
	isolated(t)
	l, err := lab.New(1)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Close()) })
	for i := range hosts {
		_, err := l.AddHost(fmt.Sprintf("n%d", i+1))
		require.NoError(t, err)
	}
	return l
}

// serving is a host with a process on it that tells its time.
type serving struct {
	*lab.Host
	nodes.Process
	address string
	log     string
}

func serve(t *testing.T, l *lab.Lab, binary, name string, args ...string) *serving {
	t.Helper()
	h, err := l.Host(name)
	require.NoError(t, err)
	s := &serving{Host: h, address: net.JoinHostPort(h.IP.String(), "7000"), log: filepath.Join(t.TempDir(), "log")}
	s.Process, err = l.Start(name, binary, append([]string{s.address}, args...), s.log)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		text, err := os.ReadFile(s.log)
		return err == nil && string(text) == "listening\n"
	}, soon, time.Millisecond)
	return s
}

// ask connects over the wire and reads the process's time.
func (s *serving) ask(connected, answered time.Duration) (time.Time, error) {
	c, err := net.DialTimeout("tcp", s.address, connected)
	if err != nil {
		return time.Time{}, err
	}
	text, err := "", c.SetDeadline(time.Now().Add(answered))
	if err == nil {
		var b []byte
		b, err = io.ReadAll(c)
		text = strings.TrimSpace(string(b))
	}
	if err := errors.Join(err, c.Close()); err != nil {
		return time.Time{}, err
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return time.Unix(0, n), err
}

func (s *serving) requireOffset(t *testing.T, offset time.Duration) {
	t.Helper()
	at, err := s.ask(soon, soon)
	require.NoError(t, err)
	require.WithinDuration(t, time.Now().Add(offset), at, soon) // clocks are set off by an hour
}

const (
	short = 200 * time.Millisecond // for what never comes
	soon  = time.Minute            // on a machine with other work to do
)

// Two processes have one address each, a clock each, and links that are hurt
// one by one.
func TestHostsAreHurtOneByOne(t *testing.T) {
	binary := build(t, "./testdata/serve")
	l := newLab(t, 2)
	n1, n2 := serve(t, l, binary, "n1"), serve(t, l, binary, "n2")
	require.NotEqual(t, link("/proc/self/ns/net"), link(fmt.Sprintf("/proc/%d/ns/net", n1.Pid())))
	require.NotEqual(t, link(fmt.Sprintf("/proc/%d/ns/net", n2.Pid())), link(fmt.Sprintf("/proc/%d/ns/net", n1.Pid())))
	n1.requireOffset(t, 0)

	require.NoError(t, n1.Clock.Set(time.Hour))
	n1.requireOffset(t, time.Hour)
	n2.requireOffset(t, 0)

	require.NoError(t, l.Net.Set("n1", lab.Clients, wire.Rule{Block: true}))
	_, err := n1.ask(short, short)
	require.Error(t, err)
	n2.requireOffset(t, 0)
	require.Eventually(t, func() bool { return l.Net.Counters()[wire.Link{From: "n1", To: lab.Clients}].Blocked > 0 },
		soon, time.Millisecond)
	l.Net.Heal()
	n1.requireOffset(t, time.Hour)
}

func TestAPauseIsSeen(t *testing.T) {
	l := newLab(t, 1)
	n1 := serve(t, l, build(t, "./testdata/serve"), "n1")
	require.NoError(t, n1.Pause())
	for _, state := range states(t, n1.Pid()) {
		require.Equal(t, "T", state)
	}
	_, err := n1.ask(soon, short) // its kernel still takes connections
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	require.NoError(t, n1.Resume())
	n1.requireOffset(t, 0)

	require.NoError(t, n1.Pause())
	require.NoError(t, n1.Kill(), "a paused process can be killed")
	require.ErrorIs(t, n1.Pause(), os.ErrProcessDone)
	require.ErrorIs(t, n1.Resume(), os.ErrProcessDone)
}

func states(t *testing.T, pid int) []string {
	t.Helper()
	paths, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	var all []string
	for _, p := range paths {
		text, err := os.ReadFile(p)
		require.NoError(t, err)
		all = append(all, strings.Fields(string(text))[2])
	}
	return all
}

func TestEndsAreTold(t *testing.T) {
	binary := build(t, "./testdata/serve")
	l := newLab(t, 1)
	n1 := serve(t, l, binary, "n1")
	_, err := l.Start("n1", binary, nil, filepath.Join(t.TempDir(), "log"))
	require.ErrorIs(t, err, lab.ErrBusy)
	require.NoError(t, n1.Clock.Set(-time.Hour))
	require.NoError(t, n1.Stop(t.Context()))
	<-n1.Done()
	require.NoError(t, n1.Err())

	n1 = serve(t, l, binary, "n1", "deaf")
	n1.requireOffset(t, -time.Hour)
	ctx, cancel := context.WithTimeout(t.Context(), short)
	defer cancel()
	require.ErrorIs(t, n1.Stop(ctx), context.DeadlineExceeded)
	require.ErrorContains(t, n1.Err(), "killed")

	p, err := l.Start("n1", binary, []string{"10.77.0.99:7000"}, n1.log)
	require.NoError(t, err)
	require.ErrorContains(t, p.Err(), "exit status 3")
	require.NoError(t, p.Kill(), "of a process that is gone")
	_, err = l.Start("n1", "/nonexistent", nil, n1.log)
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = l.Start("n9", binary, nil, n1.log)
	require.ErrorIs(t, err, wire.ErrNoHost)
}

// What a lab started ends with it.
func TestCloseEndsProcesses(t *testing.T) {
	isolated(t)
	l, err := lab.New(1)
	require.NoError(t, err)
	_, err = l.AddHost("n1")
	require.NoError(t, err)
	n1 := serve(t, l, build(t, "./testdata/serve"), "n1")
	ns := link(fmt.Sprintf("/proc/%d/ns/net", n1.Pid()))
	require.NotEmpty(t, users([]string{ns}))
	require.NoError(t, l.Close())
	require.ErrorContains(t, n1.Err(), "killed")
	require.Eventually(t, func() bool { return len(users([]string{ns})) == 0 }, soon, 10*time.Millisecond)
}

// The very program under test runs here: a cluster whose nodes have a network
// and a clock each loses a leader to a cut, and goes on.
func TestAClusterRunsHere(t *testing.T) {
	binary := os.Getenv("FERRY_BINARY")
	if binary == "" {
		binary = build(t, "../../cmd/ferry")
	}
	l := newLab(t, 3)
	ctx, cancel := context.WithTimeout(t.Context(), 3*soon)
	defer cancel()
	c, err := nodes.NewCluster(nodes.Options{
		Binary: binary, Dir: t.TempDir(), Start: l.Start, Args: []string{"--without-cluster-key"},
		Addresses: func(i int) (nodes.Addresses, error) {
			h, err := l.Host(fmt.Sprintf("n%d", i+1))
			if err != nil {
				return nodes.Addresses{}, err
			}
			at := func(port string) string { return net.JoinHostPort(h.IP.String(), port) }
			return nodes.Addresses{Clients: at("7700"), Gossip: at("7701"), HTTP: at("7702")}, nil
		},
	})
	require.NoError(t, err)
	defer func() { require.NoError(t, c.Close()) }()
	require.NoError(t, c.Start(ctx))
	conn, err := client.Dial(ctx, c.URL(0))
	require.NoError(t, err)
	require.NoError(t, c.Settled(ctx, conn))
	var old *nodes.Node
	require.Eventually(t, func() bool { // a busy machine may elect another one at any time
		old, _, err = c.Leader(ctx, conn)
		return err == nil
	}, soon, 50*time.Millisecond)
	require.NoError(t, conn.Close())

	other := c.Nodes()[0]
	for _, n := range c.Nodes() {
		if n != old {
			require.NoError(t, l.Net.Set(old.Name, n.Name, wire.Rule{Block: true}))
			require.NoError(t, l.Net.Set(n.Name, old.Name, wire.Rule{Block: true}))
			other = n
		}
	}
	require.NoError(t, l.Net.Set(old.Name, lab.Clients, wire.Rule{Block: true}))
	conn, err = client.Dial(ctx, "ferry://"+other.Addr)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		ask, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		now, _, err := c.Leader(ask, conn)
		return err == nil && now != old
	}, soon, 50*time.Millisecond)
	l.Net.Heal()
	require.NoError(t, c.Settled(ctx, conn))
	require.NoError(t, conn.Close())
}
