package client

import (
	"context"
	"errors"
	"time"

	"github.com/ferrymq/ferrymq/transport"
)

// The manager's half of finding a node: rounds of dialling, hints, lost links.

type dialResult struct {
	addr string
	link *link
	err  error
}

// startRound dials every address once, the preferred one first.
func (m *manager) startRound(prefer string, now time.Time) {
	m.round = m.book.round(prefer, now)
	m.dialNext(now)
}

func (m *manager) dialNext(now time.Time) {
	m.phase = phaseDown
	if len(m.round) == 0 {
		m.retryAt = now.Add(m.pause.NextBackOff())
		return
	}
	if m.dialing {
		return // beside the link that was lost: that comes first
	}
	addr := m.round[0]
	m.round = m.round[1:]
	m.dial(addr)
}

func (m *manager) dial(addr string) {
	m.dialing = true
	m.conn.goroutines.Go(func() {
		l, err := dialLink(m.conn.ctx, addr, m.opts, m.out.wake)
		m.dialed <- dialResult{addr, l, err} // holds one, and one dial runs at a time
	})
}

// connected takes the result of a dial.
func (m *manager) connected(d dialResult, now time.Time) {
	m.dialing = false
	if m.link != nil {
		m.probed(d, now)
		return
	}
	if d.err != nil {
		m.opts.logger.Debug("cannot connect", "addr", d.addr, "error", d.err)
		m.book.failed(d.addr, now)
		m.stalled(d.err)
		if m.conn.State() == Connected { // it was about to follow a hint
			m.conn.setState(Reconnecting, d.err)
		}
		m.dialNext(now)
		return
	}
	m.link, m.linkedAt = d.link, now
	m.phase, m.epochSet, m.tries = phaseIdle, false, 0
	hello := &d.link.hello
	m.book.learn(hello.Nodes)
	m.windowMax = min(hello.WindowMax, transport.WindowMax)
	if m.windowMax == 0 {
		m.windowMax = transport.WindowMax
	}
	m.out.limit(hello.MessageMax, hello.MessagesMax)
	m.conn.linked(hello.Node)
	group, known := homeGroup(hello.Groups)
	if known && m.follow(group, now) {
		return
	}
	m.leads(group, now)
	if known && group.Leader == "" {
		m.noLeader(now)
	}
	m.opts.logger.Info("connected", "node", hello.Node, "addr", d.addr)
	m.conn.setState(Connected, nil)
	if known && m.session != nil && m.session.group != group.Group {
		m.sessionExpired(nil, now) // the group was recreated under a new number
	}
	if known && m.session == nil {
		m.session = m.firstSession(group.Group)
	}
}

// A link that works at a node which does not lead costs a hop. So now and
// then the leader is dialled beside it, and the link moves when that answers.
const (
	probeFirst = 5 * time.Second
	probeMax   = 5 * time.Minute
)

// probe dials the leader if that is due, and returns when it will be.
func (m *manager) probe(now time.Time) time.Time {
	if m.leader == "" || m.book.stay || m.dialing {
		return time.Time{}
	}
	if now.Before(m.probeAt) {
		return m.probeAt
	}
	m.probeAfter = min(2*m.probeAfter, probeMax)
	m.probeAt = now.Add(m.probeAfter)
	m.dial(m.leader)
	return m.probeAt
}

// probed takes the result of a dial beside the link.
func (m *manager) probed(d dialResult, now time.Time) {
	switch group, ok := homeGroup(linkGroups(d.link)); {
	case d.err != nil:
		m.opts.logger.Debug("other node not reached", "addr", d.addr, "error", d.err)
	case ok && m.better(group):
		m.moveTo(d, now)
	case ok && group.Leader == d.link.hello.Node && m.link.hello.Node != group.Leader:
		m.dropLink(nil, false, now)
		m.connected(d, now)
	default:
		if err := d.link.close(); err != nil {
			m.opts.logger.Debug("closing a link", "addr", d.addr, "error", err)
		}
	}
}

func linkGroups(l *link) []transport.GroupInfo {
	if l == nil {
		return nil
	}
	return l.hello.Groups
}

// leads notes who leads: its address if it is another node than the one
// connected to.
func (m *manager) leads(g transport.GroupInfo, now time.Time) {
	m.leader = ""
	if m.link != nil && g.Leader != m.link.hello.Node {
		m.leader = g.LeaderAddr
	}
	m.probeAfter = probeFirst
	m.probeAt = now.Add(probeFirst)
}

// homeGroup is the group with the lowest number: it holds the directory of
// queues, and while there is one group, the queues.
func homeGroup(groups []transport.GroupInfo) (home transport.GroupInfo, ok bool) {
	for _, g := range groups {
		if !ok || g.Group < home.Group {
			home, ok = g, true
		}
	}
	return home, ok
}

func (m *manager) firstSession(group uint32) *session {
	s := newSession(group, 1, m.conn.identity())
	if m.opts.session != nil {
		s.opened, s.resumed, s.taken = true, true, true
	}
	return s
}

// follow moves to the group's leader if that is another node and the hint can
// be trusted.
func (m *manager) follow(g transport.GroupInfo, now time.Time) bool {
	switch {
	case m.book.stay || g.Leader == "" || g.LeaderAddr == "",
		g.Leader == m.link.hello.Node || g.LeaderAddr == m.link.addr,
		m.redirects >= redirectsMax, m.book.shunned(g.LeaderAddr, now):
		return false
	}
	m.redirects++
	m.opts.logger.Debug("following the leader", "leader", g.Leader, "addr", g.LeaderAddr)
	m.dropLink(nil, false, now)
	m.startRound(g.LeaderAddr, now)
	return true
}

// dropLink ends the link. shun keeps hints from leading back at once.
func (m *manager) dropLink(cause error, shun bool, now time.Time) {
	l := m.link
	if l == nil {
		return
	}
	m.link = nil
	m.hasLeader()
	if shun {
		m.book.failed(l.addr, now)
	}
	if err := l.close(); err != nil && !errors.Is(err, context.Canceled) {
		m.opts.logger.Debug("closing a link", "node", l.hello.Node, "error", err)
	}
	if m.phase == phaseLive {
		m.downAt = now
	}
	m.phase = phaseDown
	if m.session != nil {
		m.giveUpSent()
		m.session.linkLost()
	}
	clear(m.asking)
	m.requestsLost(cause)
	if cause != nil {
		m.opts.logger.Info("disconnected", "node", l.hello.Node, "error", cause)
		m.stalled(cause)
		m.conn.setState(Reconnecting, cause)
	}
	m.conn.linked("")
}

// linkLife is how long a link must have held for the next to follow at once.
const linkLife = 500 * time.Millisecond

// linkFailed is for a link that broke. The same node comes first again: a
// dead one refuses at once. A node that takes connections and breaks them
// must not be asked without a pause.
func (m *manager) linkFailed(err error, now time.Time) {
	addr := m.link.addr
	young := now.Sub(m.linkedAt) < linkLife
	m.dropLink(err, young || isTimeout(err), now)
	if young {
		m.round = nil
		m.dialNext(now)
		return
	}
	m.startRound(addr, now)
}

func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}

// goneAway leaves a node that is shutting down.
func (m *manager) goneAway(payload []byte, now time.Time) {
	var g transport.GoAway
	if err := g.Decode(payload); err != nil {
		m.linkFailed(err, now)
		return
	}
	m.book.learn(g.Nodes)
	m.dropLink(localError(transport.CodeShuttingDown, "connection", m.link.hello.Node, g.Message, nil), true, now)
	m.startRound("", now)
}
