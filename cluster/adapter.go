package cluster

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"

	"github.com/ferrymq/ferrymq/fsm"
)

// installsMax is how often the same snapshot may be installed on a running
// replica before it is taken for one that cannot follow (raft#697).
const installsMax = 2

// adapter is raft.FSM around fsm.State. raft calls Apply, StoreConfiguration,
// Snapshot and Restore from one goroutine; everybody else looks through view.
type adapter struct {
	group   uint32
	log     *slog.Logger
	metrics *Metrics
	fatal   func(error)
	stuck   func(error)
	tracer  Tracer // nil: nobody wants to know

	mu    sync.Mutex // guards state, and that nobody looks at it while an entry is applied
	state *fsm.State

	applied  progress       // the last index that the state includes
	version  atomic.Uint32  // the active machine version
	digests  digestRing     // of recent entries
	growth   growth         // of the log since the last snapshot
	hurry    chan struct{}  // closed when the group closes: a snapshot under way is to end soon
	stopped  atomic.Bool    // an entry failed: nothing is applied or captured any more
	running  atomic.Bool    // raft has started: a Restore is an install from now on
	installs map[uint64]int // per index of the state; the FSM goroutine's
	cannot   atomic.Bool    // the last of too many installs was not followed by an entry
}

// follow has the tracer told of what happens to messages from now on.
func (a *adapter) follow(t Tracer) {
	if a.tracer = t; t != nil {
		a.state.SetTrace(t.Add)
	}
}

// errFenced: the entry was appended in another term than it was proposed in.
var errFenced = errors.New("leadership changed before the entry was appended")

// outcome is what raft hands to the proposer of an entry.
type outcome struct {
	applied fsm.Applied
	err     error
}

func newAdapter(group uint32, log *slog.Logger, m *Metrics, threshold int64) *adapter {
	a := &adapter{
		group: group, log: log, metrics: m,
		state:    fsm.New(group),
		hurry:    make(chan struct{}),
		installs: make(map[uint64]int),
	}
	a.version.Store(uint32(a.state.Version()))
	a.growth.init(threshold)
	return a
}

// Apply implements raft.FSM. An entry that cannot be applied stops the node:
// the other replicas may have applied it, so going on would make this one differ.
func (a *adapter) Apply(l *raft.Log) any {
	if a.stopped.Load() {
		return &outcome{err: ErrCorruptState}
	}
	if fenced(l) { // in no replica's state, so it counts in no digest either
		a.applied.reach(l.Index)
		return &outcome{err: errFenced}
	}
	began := time.Now()
	a.mu.Lock()
	applied, err := a.state.Apply(l.Index, l.Data)
	var digest [32]byte
	if err == nil {
		digest = a.state.Digest()
		a.version.Store(uint32(a.state.Version()))
	}
	a.mu.Unlock()
	if err != nil {
		a.stopped.Store(true)
		err = fmt.Errorf("%w: group %d, entry %d: %w", ErrCorruptState, a.group, l.Index, err)
		a.log.Error("an entry could not be applied", "index", l.Index, "error", err)
		a.fatal(err)
		return &outcome{err: err}
	}
	a.cannot.Store(false)
	a.digests.add(l.Index, digest)
	a.growth.add(len(l.Data))
	a.applied.reach(l.Index)
	a.metrics.applied(a.group, l.Index, time.Since(began))
	return &outcome{applied: applied}
}

// StoreConfiguration implements raft.ConfigurationStore: with it, every kind
// of entry after a leader's first is seen here, so that the applied index can
// be compared with the commit index, and a configuration entry at the end of
// the log does not keep snapshots from being taken.
func (a *adapter) StoreConfiguration(index uint64, _ raft.Configuration) {
	a.applied.reach(index)
}

// Snapshot implements raft.FSM. It only pins; Persist writes.
func (a *adapter) Snapshot() (raft.FSMSnapshot, error) {
	if a.stopped.Load() {
		return nil, ErrCorruptState
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return &capture{snap: a.state.Snapshot(), adapter: a, mark: a.growth.mark()}, nil
}

// Restore implements raft.FSM.
func (a *adapter) Restore(r io.ReadCloser) error {
	if a.stopped.Load() {
		return ErrCorruptState
	}
	state, err := fsm.Restore(r)
	if err != nil {
		a.log.Error("a snapshot could not be restored", "error", err)
		return fmt.Errorf("restore group %d: %w", a.group, err)
	}
	index, digest := state.Index(), state.Digest()
	if a.tracer != nil {
		a.tracer.Restored(index, state.Clock().WallMillis)
		state.SetTrace(a.tracer.Add)
	}
	a.mu.Lock()
	a.state = state
	a.version.Store(uint32(state.Version()))
	a.mu.Unlock()
	a.digests.reset()
	a.digests.add(index, digest)
	a.growth.restored()
	a.applied.reach(index)
	if a.running.Load() {
		a.metrics.installed(a.group)
		a.countInstall(index)
	}
	return nil
}

// countInstall notices a replica that gets the same snapshot again and again,
// because its log beyond the snapshot is not the leader's.
func (a *adapter) countInstall(index uint64) {
	if a.installs[index] == 0 {
		clear(a.installs) // another snapshot: there is progress
	}
	a.installs[index]++
	if a.installs[index] > installsMax {
		a.cannot.Store(true)
		a.stuck(fmt.Errorf("%w: group %d: the snapshot at %d was installed %d times",
			ErrRebuild, a.group, index, a.installs[index]))
	}
}

// view runs f between two entries.
func (a *adapter) view(f func(*fsm.State)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	f(a.state)
}

// capture is a pinned state.
type capture struct {
	snap    *fsm.Snapshot
	adapter *adapter
	mark    growthMark
}

// Persist implements raft.FSMSnapshot. raft closes the sink after it, or
// cancels it after an error.
func (c *capture) Persist(sink raft.SnapshotSink) error {
	began := time.Now()
	w := &pacedWriter{w: sink, hurry: c.adapter.hurry}
	if _, err := c.snap.WriteTo(w); err != nil {
		return fmt.Errorf("snapshot of group %d: %w", c.adapter.group, err)
	}
	c.adapter.growth.persisted(c.mark, w.n)
	c.adapter.metrics.snapshot(c.adapter.group, w.n, time.Since(began))
	return nil
}

// Release implements raft.FSMSnapshot.
func (c *capture) Release() { c.snap.Release() }
