package broker

import (
	"github.com/ferrymq/ferrymq/transport"
)

// LeaderChanged tells who leads a group as far as this node knows; self is
// true once this node leads and its first entry of the term is applied. Call
// it in the order of the changes, from one goroutine for each group; what
// comes before New returned must be held back until then.
func (b *Broker) LeaderChanged(group uint32, info transport.GroupInfo, self bool) {
	if l := b.lanes[group]; l != nil {
		l.reroute(func() { l.info, l.self = info, self })
	}
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
	sent := l.failSent()
	queued := l.failQueue(transport.CodeNotLeader)
	clear(l.refused)
	l.holdTill = 0
	if l.mode == modeLead {
		// What the state waits for is not known before the first entry of ours.
		l.clock = clockState{due: true, deadline: 0}
	}
	mode, info := l.mode, l.info
	l.roomMade()
	l.mu.Unlock()
	l.tell(sent)
	l.tell(queued)
	l.b.log.Info("route changed", "group", l.id, "leader", info.Leader, "term", info.Term, "leads", mode == modeLead)
	if mode != modeNone {
		for _, h := range l.sessions.all() {
			h.conn.askReattach(h.number, info)
		}
	}
	l.signal()
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
