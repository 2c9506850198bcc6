package broker

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ferrymq/ferrymq/fsm"
	"github.com/ferrymq/ferrymq/transport"
)

// fakeGroup is a group of one replica without a log: entries apply at once,
// or, while it holds, when they are released; or they fail as told.
type fakeGroup struct {
	t     testing.TB
	start time.Time

	mu      sync.Mutex
	state   *fsm.State
	index   uint64
	info    transport.GroupInfo
	self    bool
	holding bool
	held    []*heldEntry
	fail    func() error // asked for every proposal; nil: none fails
	entries int
	ticks   int
	sizes   []int
	counts  []int
	verify  error
	also    []fsm.Effect // of the next entry, beside its own
	lag     uint64

	ahead atomic.Int64 // milliseconds that its wall clock was moved forward
}

type heldEntry struct {
	commands []byte
	count    int
	at       fsm.Clock
	done     chan struct{}
	applied  fsm.Applied
	err      error
}

func newFakeGroup(t testing.TB) *fakeGroup {
	return &fakeGroup{t: t, start: time.Now(), state: fsm.New(0)}
}

// newLeading returns a group led by this node, its first entry applied.
func newLeading(t testing.TB, node string) *fakeGroup {
	g := newFakeGroup(t)
	g.elect(node, 1)
	return g
}

// elect makes node the leader here: its first entry is applied.
func (g *fakeGroup) elect(node string, term uint64) transport.GroupInfo {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.apply(fsm.AppendLeader(nil, &fsm.Leader{Node: node}), 1, fsm.Clock{})
	g.info, g.self = transport.GroupInfo{Leader: node, Term: term, LeaderAddr: node + ":7700"}, true
	return g.info
}

func (g *fakeGroup) apply(commands []byte, count int, at fsm.Clock) fsm.Applied {
	g.index++
	entry := fsm.AppendEntryHeader(nil, fsm.VersionCurrent, at, count)
	applied, err := g.state.Apply(g.index, append(entry, commands...))
	if err != nil {
		g.t.Errorf("apply of entry %d: %v", g.index, err)
	}
	applied.Effects = append(applied.Effects, g.also...)
	g.also = nil
	return applied
}

func (g *fakeGroup) ID() uint32 { return 0 }

func (g *fakeGroup) Leader() (transport.GroupInfo, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.info, g.self
}

func (g *fakeGroup) Now() fsm.Clock {
	elapsed := time.Since(g.start).Milliseconds()
	return fsm.Clock{WallMillis: g.start.UnixMilli() + elapsed + g.ahead.Load(), LeaseMillis: elapsed}
}

func (g *fakeGroup) Propose(commands []byte, count int) func() (fsm.Applied, error) {
	at := g.Now()
	g.mu.Lock()
	defer g.mu.Unlock()
	e := &heldEntry{commands: append([]byte(nil), commands...), count: count, at: at, done: make(chan struct{})}
	if count == 0 {
		g.ticks++
	} else {
		g.entries++
		g.sizes = append(g.sizes, len(commands))
		g.counts = append(g.counts, count)
	}
	switch {
	case g.fail != nil:
		if e.err = g.fail(); e.err != nil {
			close(e.done)
			break
		}
		fallthrough
	default:
		if g.holding {
			g.held = append(g.held, e)
			break
		}
		e.applied = g.apply(e.commands, e.count, e.at)
		close(e.done)
	}
	return func() (fsm.Applied, error) {
		<-e.done
		return e.applied, e.err
	}
}

// hold keeps entries back from now on.
func (g *fakeGroup) hold() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.holding = true
}

// release applies what is held, or fails it with err.
func (g *fakeGroup) release(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.holding = false
	for _, e := range g.held {
		if e.err = err; err == nil {
			e.applied = g.apply(e.commands, e.count, e.at)
		}
		close(e.done)
	}
	g.held = nil
}

// failWith has proposals fail; nil: no longer.
func (g *fakeGroup) failWith(code transport.Code) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.fail = nil
	if code != transport.CodeOK {
		g.fail = func() error { return transport.Errorf(code, "as told") }
	}
}

func (g *fakeGroup) View(f func(*fsm.State)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	f(g.state)
}

func (g *fakeGroup) Lag() uint64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.lag
}

func (g *fakeGroup) Verify(context.Context) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.verify
}

func (g *fakeGroup) counted() (entries, ticks int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.entries, g.ticks
}

func (g *fakeGroup) heldCount() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.held)
}

// heldOps counts the commands held back.
func (g *fakeGroup) heldOps() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := 0
	for _, e := range g.held {
		n += e.count
	}
	return n
}

// follower is the view of a group that another node leads.
type follower struct {
	*fakeGroup
	leader transport.GroupInfo
}

func (f *follower) Leader() (transport.GroupInfo, bool) { return f.leader, false }

func (f *follower) Propose([]byte, int) func() (fsm.Applied, error) {
	return func() (fsm.Applied, error) {
		return fsm.Applied{}, transport.Errorf(transport.CodeNotLeader, "")
	}
}
