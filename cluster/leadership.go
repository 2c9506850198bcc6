package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/raft"

	"github.com/ferrymq/ferrymq/fsm"
	"github.com/ferrymq/ferrymq/transport"
)

const (
	observationsMax  = 16
	leadLoopEvery    = time.Second           // looks again even if nothing was reported
	firstEntryRetry  = 25 * time.Millisecond // after a first entry that failed
	drainBeforeTries = 2 * time.Second
)

// leadership is what this node has from its first applied entry of a term on
// until anything goes wrong.
type leadership struct {
	term  uint64
	calls gate
}

// fail ends the leadership: nothing is proposed in it any more.
func (l *leadership) fail(g *Group) {
	if l.calls.shut() {
		g.Refresh()
	}
}

// gate counts proposals that are not answered, until it is shut.
type gate struct {
	mu     sync.Mutex
	closed bool
	open   calls
}

func (t *gate) tryBegin() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return false
	}
	t.open.begin()
	return true
}

func (t *gate) end() { t.open.end() }

func (t *gate) shut() (first bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	first = !t.closed
	t.closed = true
	return first
}

func (t *gate) isShut() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.closed
}

// leading returns the leadership while this node may write: it asks raft
// itself, so that it is nil the moment raft steps down.
func (g *Group) leading() *leadership {
	l := g.lead.Load()
	if l == nil || l.calls.isShut() || g.raft.State() != raft.Leader || g.raft.CurrentTerm() != l.term {
		return nil
	}
	return l
}

// Leader tells who leads as far as this node knows. Self is true only while
// this node leads and its first entry of the term is applied. A leader is not
// named, not even this node, before it can take proposals here.
func (g *Group) Leader() (info transport.GroupInfo, self bool) {
	info = transport.GroupInfo{Group: g.opts.ID, Term: g.raft.CurrentTerm()}
	if l := g.leading(); l != nil && !g.closing.Load() {
		info.Leader, info.Term, self = g.opts.Node, l.term, true
	} else if _, id := g.raft.LeaderWithID(); id != "" && string(id) != g.opts.ServerID {
		info.Leader = nodeOf(id)
	}
	if info.Leader != "" {
		info.LeaderAddr = g.opts.Directory.ClientAddr(info.Leader)
	}
	return info, self
}

// leadLoop follows raft's leadership. It looks at levels, not at edges, so a
// report that is lost, or several in one, do no harm.
func (g *Group) leadLoop() {
	reports := make(chan raft.Observation, observationsMax)
	observer := raft.NewObserver(reports, false, func(o *raft.Observation) bool {
		switch o.Data.(type) {
		case raft.LeaderObservation, raft.RaftState:
			return true
		}
		return false
	})
	g.raft.RegisterObserver(observer)
	defer g.raft.DeregisterObserver(observer)
	again := time.NewTicker(leadLoopEvery)
	defer again.Stop()
	var told announcement
	for {
		g.endLeadership(&told)
		g.beginLeadership(&told)
		g.announce(&told)
		g.opts.Metrics.indexes(g.opts.ID, g.raft.CurrentTerm(), g.raft.CommitIndex())
		select {
		case <-g.ctx.Done():
			g.lead.Store(nil)
			g.announce(&told)
			return
		case <-g.raft.LeaderCh():
		case <-reports:
		case <-g.nudge:
		case <-again.C:
		}
	}
}

type announcement struct {
	made bool
	info transport.GroupInfo
	self bool
}

func (g *Group) announce(told *announcement) {
	info, self := g.Leader()
	if told.made && info == told.info && self == told.self {
		return
	}
	*told = announcement{made: true, info: info, self: self}
	g.opts.Metrics.leadership(g.opts.ID, info.Term, self)
	g.log.Info("leadership", "leader", info.Leader, "term", info.Term, "self", self)
	g.opts.OnLeader(g, info, self)
}

// endLeadership drops a leadership that is over, and says so, before another
// can begin.
func (g *Group) endLeadership(told *announcement) {
	l := g.lead.Load()
	if l == nil || g.leading() == l {
		return
	}
	l.calls.shut()
	g.lead.CompareAndSwap(l, nil)
	info, _ := g.Leader()
	if told.made && told.self {
		*told = announcement{made: true, info: info}
		g.opts.Metrics.leadership(g.opts.ID, info.Term, false)
		g.log.Info("leadership ended", "term", l.term)
		g.opts.OnLeader(g, info, false)
	}
	// In the same term, nothing new may go ahead of what is not answered.
	ctx, cancel := context.WithTimeout(g.ctx, drainBeforeTries)
	defer cancel()
	if err := l.calls.open.drain(ctx); err != nil && g.ctx.Err() == nil {
		g.log.Warn("a leadership ended with proposals that nobody waits for", "error", err)
	}
}

// beginLeadership proposes the first entry of a term once raft leads it. Until
// it is applied, nothing else is proposed and the clocks stand.
func (g *Group) beginLeadership(told *announcement) {
	for failures := 0; g.raft.State() == raft.Leader && g.lead.Load() == nil && !g.closing.Load() && !g.fsm.stopped.Load(); {
		l := &leadership{term: g.raft.CurrentTerm()}
		l.calls.tryBegin()
		first := fsm.AppendLeader(nil, &fsm.Leader{Node: g.opts.Node})
		_, err := g.append(l, fsm.Clock{}, first, 1)()
		if err == nil {
			var at fsm.Clock
			g.fsm.view(func(s *fsm.State) { at = s.Clock() })
			g.clock.start(at, time.Now())
			g.lead.Store(l)
			return
		}
		if g.raft.State() != raft.Leader || g.ctx.Err() != nil {
			return
		}
		g.announce(told)
		if failures++; failures > 1 { // the first may only have met the end of a failed transfer
			g.log.Warn("the first entry of a term failed: stepping down", "term", l.term, "error", err)
			if err := g.transfer(nil); err != nil {
				g.log.Debug("could not step down", "error", err)
			}
		}
		select {
		case <-time.After(firstEntryRetry):
		case <-g.ctx.Done():
			return
		}
	}
}

// handOver gives leadership to one of the nodes, to any voter if none is named.
// Proposals are refused from now on; if nobody takes over, this node begins
// its leadership anew.
func (g *Group) handOver(ctx context.Context, nodes []string) error {
	targets := g.otherVoters()
	if len(nodes) > 0 {
		targets = slices.DeleteFunc(targets, func(s raft.Server) bool { return !slices.Contains(nodes, nodeOf(s.ID)) })
	}
	if len(targets) == 0 {
		return errors.New("no other voter")
	}
	l := g.lead.Load()
	if l == nil && g.raft.State() != raft.Leader {
		return raft.ErrNotLeader
	}
	if l != nil {
		l.calls.shut()
		drain, cancel := context.WithTimeout(ctx, drainBeforeTries)
		err := l.calls.open.drain(drain)
		cancel()
		if err != nil {
			g.log.Warn("handing leadership over with proposals in flight", "error", err)
		}
		defer g.Refresh()
	}
	var errs []error
	// Each is asked once. raft leaves a request behind at a replica that lags,
	// and a second one in the same leadership waits behind it for ever.
	for _, s := range targets {
		if ctx.Err() != nil || g.raft.State() != raft.Leader {
			break
		}
		err := g.transfer(&s)
		if err == nil {
			return nil
		}
		errs = append(errs, fmt.Errorf("to %s: %w", nodeOf(s.ID), err))
	}
	if g.raft.State() != raft.Leader {
		return nil
	}
	return errors.Join(errs...)
}

// transfer is one attempt, bounded by raft to about two election timeouts.
func (g *Group) transfer(to *raft.Server) error {
	g.calls.begin()
	defer g.calls.end()
	if to == nil {
		return g.raft.LeadershipTransfer().Error()
	}
	return g.raft.LeadershipTransferToServer(to.ID, to.Address).Error()
}

// otherVoters are the voters besides this node, in the configuration's order.
func (g *Group) otherVoters() []raft.Server {
	var out []raft.Server
	for _, s := range g.servers() {
		if s.Suffrage == raft.Voter && string(s.ID) != g.opts.ServerID {
			out = append(out, s)
		}
	}
	return out
}

// servers is the latest configuration, committed or not.
func (g *Group) servers() []raft.Server {
	f := g.raft.GetConfiguration()
	if f.Error() != nil { // never: it is answered from memory
		return nil
	}
	return f.Configuration().Servers
}

// serverIDSuffix is the length of "-" and 8 hexadecimal digits.
const serverIDSuffix = 9

// nodeOf is the name of the node whose server id it is.
func nodeOf(id raft.ServerID) string {
	if n := len(id) - serverIDSuffix; n > 0 && id[n] == '-' {
		return string(id[:n])
	}
	return string(id)
}
