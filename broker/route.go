package broker

import (
	"maps"

	"github.com/ferrymq/ferrymq/fsm"
	"github.com/ferrymq/ferrymq/transport"
)

// LeaderChanged tells who leads a group as far as this node knows; self is
// true once this node leads and its first entry of the term is applied. Call
// it in the order of the changes, from one goroutine for each group; what
// comes before New returned must be held back until then.
func (b *Broker) LeaderChanged(group uint32, info transport.GroupInfo, self bool) {
	if l := b.lanes[group]; l != nil {
		l.leaderChanged(info, self)
	}
}

// leaderChanged takes over who leads. A node that begins to lead goes by what
// the state holds: the figures of when it led last may be far off.
func (l *lane) leaderChanged(info transport.GroupInfo, self bool) {
	var bytes int64
	var before misses
	if self {
		bytes, before = l.figuresNow() // not under l.mu: an entry may hold the state
	}
	l.reroute(func() {
		if self && !l.self {
			l.bodyBytes, l.missedBefore = bytes, &before
		}
		l.info, l.self = info, self
	})
}

func (l *lane) figuresNow() (bytes int64, missed misses) {
	l.group.View(func(s *fsm.State) {
		bytes = int64(s.Bytes())
		missed.take(s.Misses(), s.Missers())
	})
	return bytes, missed
}

// reroute makes a change and decides anew where the lane leads to. All that
// was on the way to another place is failed, in its order, and clients are
// asked to attach again at the new one.
func (l *lane) reroute(change func()) {
	l.mu.Lock()
	before, leader, term := l.mode, l.info.Leader, l.info.Term
	change()
	l.mode = l.modeNow()
	if l.mode == before && l.info.Leader == leader && l.info.Term == term {
		l.mu.Unlock()
		return
	}
	l.turn()
}

// leaderBegan tells that the leader began to lead anew in the same term: its
// first entry has detached every session.
func (l *lane) leaderBegan(leader string) {
	l.mu.Lock()
	if l.mode != modeForward || l.info.Leader != leader {
		l.mu.Unlock()
		return
	}
	l.turn()
}

// turn fails what is on the way and has clients attach. Until they do, their
// operations are refused: an entry under way may be lost, and nothing of its
// sessions may overtake it. The caller holds l.mu, which turn unlocks.
func (l *lane) turn() {
	sent := l.failSent()
	queued := l.failQueue(transport.CodeNotLeader)
	handles := l.sessions.all()
	for _, h := range handles {
		h.broken = true
	}
	// Those of living links stay: what was sent before the failure was known
	// may still come.
	maps.DeleteFunc(l.refused, func(p *peer, _ uint64) bool { return p.ctx.Err() != nil })
	l.holdTill = 0
	anew := false
	if l.mode == modeLead {
		// What the state waits for is not known before the first entry of ours.
		l.clock = clockUnknown
		anew = l.ledTerm == l.info.Term
		l.ledTerm = l.info.Term
	}
	mode, info := l.mode, l.info
	l.roomMade()
	l.mu.Unlock()
	l.tell(sent)
	l.tell(queued)
	if anew {
		l.tellBegan()
	}
	l.b.log.Info("route changed", "group", l.id, "leader", info.Leader, "term", info.Term, "leads", mode == modeLead)
	if mode == modeNone {
		// Whoever only waits for deliveries would not learn otherwise that none
		// will come here.
		info.Leader, info.LeaderAddr = "", ""
	}
	for _, h := range handles {
		h.conn.askReattach(h.number, info)
	}
	l.signal()
}

// tellBegan tells the other nodes that this one began to lead anew in the term
// that it led before: they see neither another leader nor another term.
func (l *lane) tellBegan() {
	for _, p := range l.b.allPeers() {
		l.b.relay(l, p.name, &relayItem{began: true})
	}
}

// modeNow follows from who leads and which links are up. The caller holds l.mu.
func (l *lane) modeNow() mode {
	switch {
	case l.closed:
		return modeNone
	case l.self:
		return modeLead
	case l.info.Leader == "" || l.info.Leader == l.b.o.Node:
		return modeNone
	case l.b.peerIsUp(l.info.Leader):
		return modeForward
	}
	return modeNone
}
