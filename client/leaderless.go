package client

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/ferrymq/ferrymq/transport"
)

// A node can be cut off from the others and not from its clients. It knows no
// leader then, and it may take long until it does, while the other nodes have
// elected one. So a link is not given up at once, since an election takes a
// moment everywhere, but after about as long as one takes other nodes are
// dialled beside it, and the link moves when one of them knows a leader. If
// none does it stays, and looks again after pauses that grow.
const (
	leaderlessFor  = time.Second
	seekInitial    = time.Second
	seekMultiplier = 1.5
	seekMax        = 5 * time.Second
)

// leaderless is what a connection knows of a node without a leader.
type leaderless struct {
	since time.Time // zero: the node has a leader, as far as is known
	at    time.Time // when to look for another node
	round []string  // still to be looked at
	pause *backoff.ExponentialBackOff
}

func newLeaderless() leaderless {
	return leaderless{pause: &backoff.ExponentialBackOff{
		InitialInterval: seekInitial, Multiplier: seekMultiplier,
		RandomizationFactor: retryJitter, MaxInterval: seekMax,
	}}
}

// withoutLeader tells that a node said that it knows no leader.
func withoutLeader(code transport.Code) bool {
	return code == transport.CodeNoLeader || code == transport.CodeNotLeader
}

// noLeader notes that the node connected to knows no leader.
func (m *manager) noLeader(now time.Time) {
	if m.lost.since.IsZero() {
		m.lost.since = now
		m.lost.at = now.Add(leaderlessFor - leaderlessFor/5 + rand.N(2*leaderlessFor/5))
	}
}

// hasLeader notes that it does, or that another node is connected to.
func (m *manager) hasLeader() {
	if m.lost.since.IsZero() {
		return
	}
	m.lost.since, m.lost.at, m.lost.round = time.Time{}, time.Time{}, nil
	m.lost.pause.Reset()
}

// seek looks for a node that knows a leader if that is due, and returns when it
// will be.
func (m *manager) seek(now time.Time) time.Time {
	if m.lost.since.IsZero() || m.dialing {
		return time.Time{}
	}
	if now.Before(m.lost.at) {
		return m.lost.at
	}
	if len(m.lost.round) == 0 {
		here := m.link.addr
		m.lost.round = slices.DeleteFunc(m.book.round("", now), func(addr string) bool { return addr == here })
	}
	if len(m.lost.round) > 0 {
		addr := m.lost.round[0]
		m.lost.round = m.lost.round[1:]
		m.dial(addr)
	}
	if len(m.lost.round) == 0 {
		m.lost.at = now.Add(m.lost.pause.NextBackOff())
	}
	return m.lost.at
}

// better tells whether the group knows a leader and the node connected to does
// not. That the latter leads is old news.
func (m *manager) better(g transport.GroupInfo) bool {
	return !m.lost.since.IsZero() && g.Leader != "" && g.Leader != m.link.hello.Node
}

// moveTo takes another link in place of one to a node without a leader.
func (m *manager) moveTo(d dialResult, now time.Time) {
	m.opts.logger.Info("leaving a node without a leader",
		"node", m.link.hello.Node, "after", now.Sub(m.lost.since), "for", d.link.hello.Node)
	m.redirects = 0
	m.dropLink(nil, true, now)
	m.connected(d, now)
}
