package gossip

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/memberlist"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/ferrymq/ferrymq/jepsen/nodes/ports"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// fast makes memberlist find things out in tenths of a second.
func fast(c *memberlist.Config) {
	c.ProbeInterval = 100 * time.Millisecond
	c.ProbeTimeout = 50 * time.Millisecond
	c.SuspicionMult = 4
	c.GossipInterval = 20 * time.Millisecond
	c.PushPullInterval = 300 * time.Millisecond
	c.GossipToTheDeadTime = 300 * time.Millisecond
	c.TCPTimeout = 500 * time.Millisecond
}

// options of a node at an address that it can come back to.
func options(id string, join ...string) Options {
	_, address, err := ports.Free()
	if err != nil {
		panic(err) // a machine without ports
	}
	return Options{
		NodeID: id, BindAddr: address, Join: join, Meta: []byte("meta of " + id),
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)), tune: fast,
	}
}

func run(t *testing.T, o Options) *Gossip {
	t.Helper()
	g, err := start(o, 100*time.Millisecond)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, g.Close()) })
	return g
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	require.Eventually(t, ok, time.Minute, 10*time.Millisecond, what)
}

// sees reports whether g knows exactly these nodes, and who of them is alive.
func sees(g *Gossip, want map[string]bool) bool {
	got := map[string]bool{}
	for _, m := range g.Members() {
		got[m.ID] = m.Alive
	}
	return fmt.Sprint(got) == fmt.Sprint(want)
}

// find returns what g knows of a node.
func find(g *Gossip, id string) Member {
	for _, m := range g.Members() {
		if m.ID == id {
			return m
		}
	}
	return Member{}
}

// next waits for an event about a node that want accepts.
func next(t *testing.T, g *Gossip, want func(Event) bool) Event {
	t.Helper()
	limit := time.After(time.Minute)
	for {
		select {
		case e, ok := <-g.Events():
			require.True(t, ok, "events ended")
			if want(e) {
				return e
			}
		case <-limit:
			require.Fail(t, "no such event")
		}
	}
}

func is(kind Kind, id string) func(Event) bool {
	return func(e Event) bool { return e.Kind == kind && e.Member.ID == id }
}

// trio starts three nodes that know each other.
func trio(t *testing.T) (a, b, c *Gossip) {
	t.Helper()
	a = run(t, options("a"))
	b = run(t, options("b", a.Addr()))
	c = run(t, options("c", a.Addr()))
	for _, g := range []*Gossip{a, b, c} {
		eventually(t, "all three are seen", func() bool { return sees(g, map[string]bool{"a": true, "b": true, "c": true}) })
	}
	return a, b, c
}

// logs keeps what is logged.
type logs struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}
