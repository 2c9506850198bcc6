package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"

	"github.com/ferrymq/ferrymq/fsm"
)

// Group is one replica of one Raft group. Its methods may be called from any
// goroutine; Propose from one at a time.
type Group struct {
	opts  GroupOptions
	conf  *raft.Config
	log   *slog.Logger
	fsm   *adapter
	raft  *raft.Raft
	clock *clocks

	lead     atomic.Pointer[leadership] // nil: this node may not write
	nudge    chan struct{}              // wakes leadLoop
	verifies chan *verifyRequest

	closing atomic.Bool
	failed  atomic.Bool
	calls   calls // what waits for an answer of raft
	stop    context.CancelFunc
	ctx     context.Context
	loops   sync.WaitGroup
	closed  sync.Once
}

// OpenGroup starts a replica. If its stores are empty it does nothing until it
// is bootstrapped (Bootstrap) or a leader adds it.
func OpenGroup(opts GroupOptions) (*Group, error) {
	if err := opts.Validate(); err != nil {
		return nil, err
	}
	opts = opts.withDefaults()
	g := &Group{
		opts:     opts,
		conf:     raftConfig(opts),
		log:      opts.Logger.With("group", opts.ID),
		clock:    newClocks(opts.WallSkew),
		nudge:    make(chan struct{}, 1),
		verifies: make(chan *verifyRequest, verifiesMax),
	}
	g.ctx, g.stop = context.WithCancel(context.Background())
	g.fsm = newAdapter(opts.ID, g.log, opts.Metrics, opts.SnapshotBytes)
	g.fsm.follow(opts.Tracer)
	g.fsm.fatal = g.fatal
	g.fsm.stuck = g.stuck
	if err := g.startRaft(); err != nil {
		return nil, fmt.Errorf("open group %d: %w", opts.ID, err)
	}
	g.loops.Go(g.leadLoop)
	g.loops.Go(g.clockLoop)
	g.loops.Go(g.verifyLoop)
	g.loops.Go(g.compactLoop)
	return g, nil
}

func (g *Group) startRaft() error {
	if metas, err := g.opts.Stores.Snapshots.List(); err != nil {
		return fmt.Errorf("list snapshots: %w", err)
	} else if len(metas) > 0 {
		g.fsm.growth.noteSnapshotSize(metas[0].Size)
	}
	trans := g.opts.Transport
	if inner, plain := trans.(innerTransport); plain && !wrapped(trans) {
		trans = WrapTransport(inner)
	}
	cache := newLogCache(g.opts.Stores.Log, logCacheEntriesMax, logCacheBytesMax)
	r, err := raft.NewRaft(g.conf, g.fsm, cache, g.opts.Stores.Stable, g.opts.Stores.Snapshots, trans)
	if err != nil {
		return err
	}
	g.raft = r
	g.fsm.running.Store(true)
	return nil
}

func wrapped(t raft.Transport) bool {
	switch t.(type) {
	case *wrapTransport, *networkTransport:
		return true
	}
	return false
}

// ID of the group.
func (g *Group) ID() uint32 { return g.opts.ID }

// ServerID of this replica.
func (g *Group) ServerID() string { return g.opts.ServerID }

// View runs f on this node's state, between two entries. f must be short, must
// not keep references and must not call the group.
func (g *Group) View(f func(*fsm.State)) { g.fsm.view(f) }

// Now is what the next entry would be stamped with; on a node that does not
// lead, the state's own clock.
func (g *Group) Now() fsm.Clock {
	if l := g.leading(); l != nil {
		return g.clock.peek(time.Now())
	}
	var at fsm.Clock
	g.fsm.view(func(s *fsm.State) { at = s.Clock() })
	return at
}

// Lag is how many entries of this replica's log are not in its state yet.
func (g *Group) Lag() uint64 {
	applied := g.fsm.applied.at()
	return max(g.raft.LastIndex(), applied) - applied
}

// ObserveClock takes a sample of another node's wall clock.
func (g *Group) ObserveClock(node string, wallMillis int64) {
	g.clock.observe(node, wallMillis, time.Now())
}

// Refresh makes the group look at the directory again, and announce what
// changed.
func (g *Group) Refresh() {
	select {
	case g.nudge <- struct{}{}:
	default:
	}
}

// fatal reports once that the replica must not go on.
func (g *Group) fatal(err error) {
	if g.failed.CompareAndSwap(false, true) {
		g.log.Error("the replica stops", "error", err)
		g.opts.OnFatal(err)
	}
}

// stuck reports that the replica cannot follow its leader.
func (g *Group) stuck(err error) {
	g.log.Error("the replica gets the same snapshot again and again", "error", err)
	if g.opts.OnStuck != nil {
		g.opts.OnStuck(err)
		return
	}
	g.giveUp(err)
}

// giveUp stops the replica and has its state wiped.
func (g *Group) giveUp(err error) {
	g.fsm.stopped.Store(true)
	g.rebuild(err)
}

// rebuild reports once that the replica's state must be wiped.
func (g *Group) rebuild(err error) {
	if g.failed.CompareAndSwap(false, true) {
		g.log.Error("the replica must be rebuilt", "error", err)
		g.opts.OnRebuild(err)
	}
}

// Close hands leadership over if it can, waits for what is in flight, and
// stops raft and its transport. The stores stay open.
func (g *Group) Close() error {
	var err error
	g.closed.Do(func() { err = g.close() })
	return err
}

func (g *Group) close() error {
	g.closing.Store(true)
	close(g.fsm.hurry)
	if g.raft.State() == raft.Leader {
		ctx, cancel := context.WithTimeout(context.Background(), g.opts.CloseTimeout)
		if err := g.handOver(ctx, nil); err != nil {
			g.log.Info("closing without handing leadership over", "reason", err)
		}
		cancel()
	}
	g.lead.Store(nil)
	// raft does not answer what it holds when it is shut down: wait before.
	ctx, cancel := context.WithTimeout(context.Background(), g.opts.CloseTimeout)
	defer cancel()
	errDrain := g.calls.drain(ctx)
	g.stop()
	g.loops.Wait()
	errRaft := g.raft.Shutdown().Error()
	g.fsm.applied.close()
	if errDrain != nil {
		errDrain = fmt.Errorf("close group %d: %w", g.opts.ID, errDrain)
	}
	return errors.Join(errDrain, errRaft)
}
