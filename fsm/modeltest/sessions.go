package modeltest

import (
	"slices"

	"github.com/ferrymq/ferrymq/fsm"
)

func (m *Model) open(x *fsm.Open) Outcome {
	idle := int64(x.IdleExpiryMillis)
	switch {
	case idle == 0:
		idle = fsm.DefaultIdleExpiryMillis
	case idle < fsm.MinIdleExpiryMillis || idle > fsm.MaxIdleExpiryMillis:
		return answer(fsm.Invalid)
	}
	if s := m.sessions[x.Session]; s != nil {
		if s.secret != x.Secret || s.principal != x.Principal {
			return answer(fsm.Denied)
		}
		return Outcome{Code: fsm.OK, Value: s.judged}
	}
	m.sessions[x.Session] = &session{
		id: x.Session, serial: m.nextSerial(), secret: x.Secret, principal: x.Principal, idle: idle, idleEnd: m.clock.LeaseMillis + idle,
		kept: map[uint64]kept{}, consumers: map[uint32]*consumer{}, requests: map[uint64]*request{},
	}
	return answer(fsm.OK)
}

// attach binds a session to a connection. Its leases get at least half of
// their length, and what it holds and does not know of is delivered again.
func (m *Model) attach(x *fsm.Attach) Outcome {
	s := m.sessions[x.Session]
	switch {
	case s == nil:
		return answer(fsm.SessionExpired)
	case s.secret != x.Secret:
		return answer(fsm.Denied)
	case x.Epoch < s.epoch:
		return Outcome{Code: fsm.Fenced, Value: s.epoch}
	case x.Epoch == 0 || x.Node == "" || len(x.Node) > fsm.MaxNodeBytes || !slices.IsSorted(x.Tokens):
		return answer(fsm.Invalid)
	case !affords(&m.toil.held, s.holdings(), m.bounds.Held):
		return busy(fsm.CauseEntry)
	}
	if s.attached() && x.Epoch > s.epoch {
		for _, c := range s.consumerList() {
			m.closed(c, fsm.Fenced)
		}
	}
	s.epoch, s.node, s.graceEnd, s.idleEnd = x.Epoch, x.Node, 0, 0
	for _, c := range s.consumerList() {
		c.taken, c.untaken, c.armed = c.assigned, nil, 0
		for _, held := range c.held {
			held.deadline = max(held.deadline, m.clock.LeaseMillis+held.length/2)
			c.arm(held.deadline)
			if !slices.Contains(x.Tokens, held.token) {
				m.effects = append(m.effects, c.delivery(held))
			}
		}
		m.offer(c)
	}
	return Outcome{Code: fsm.OK, Value: s.judged}
}

func (m *Model) detach(x *fsm.Detach) Outcome {
	s := m.sessions[x.Session]
	switch {
	case s == nil:
		return answer(fsm.SessionExpired)
	case x.Epoch != s.epoch || x.Node != s.node || !s.attached():
		return Outcome{Code: fsm.Fenced, Value: s.epoch}
	}
	grace := int64(fsm.GraceConnectionMillis)
	if x.Cause == fsm.DetachNodeLost {
		grace = fsm.GraceNodeMillis
	}
	m.unbind(s, grace)
	return answer(fsm.OK)
}

func (m *Model) unbind(s *session, grace int64) {
	m.silence(s)
	s.graceEnd = m.clock.LeaseMillis + grace
	s.idleEnd = m.clock.LeaseMillis + max(grace, s.idle)
}

// detachNode detaches every session attached through a node, or every one at
// all, and tells how many.
func (m *Model) detachNode(node string, all bool) Outcome {
	o := answer(fsm.OK)
	for _, s := range m.sessionList() {
		if s.attached() && (all || s.node == node) {
			m.unbind(s, fsm.GraceNodeMillis)
			o.Value++
		}
	}
	return o
}

// end gives a session up: its id is free at once; what it holds returns at the
// end of the entry, and counts nothing.
func (m *Model) end(x *fsm.End) Outcome {
	s := m.sessions[x.Session]
	switch {
	case s == nil:
		return answer(fsm.SessionExpired)
	case x.Epoch != s.epoch:
		return Outcome{Code: fsm.Fenced, Value: s.epoch}
	}
	m.silence(s)
	s.requests = nil
	m.ended = append(m.ended, s)
	delete(m.sessions, s.id)
	return answer(fsm.OK)
}

// silence takes a session's consumers out of the hand-outs.
func (m *Model) silence(s *session) {
	s.node = ""
	for _, c := range s.consumerList() {
		c.armed = 0
		m.unreserve(c)
	}
}

// gone: a session's record goes, with what it waits for and what was made for it.
func (m *Model) gone(s *session) {
	if m.sessions[s.id] == s {
		delete(m.sessions, s.id)
	}
	s.requests = nil
	m.unsubscribe(s)
}

// leave ends a consumer and returns what it holds, uncounted.
func (m *Model) leave(c *consumer, why fsm.Cause) {
	started := map[*message]bool{}
	for _, held := range c.held {
		started[held] = c.started(held)
	}
	for _, held := range slices.Clone(c.held) {
		m.endLease(held, ending{why: why, lost: why == fsm.CauseSessionEnded || started[held]})
	}
	m.forget(c)
}

// forget takes a consumer off its queue and session.
func (m *Model) forget(c *consumer) {
	if c.session.consumers[c.number] == c {
		delete(c.session.consumers, c.number)
	}
	c.queue.consumers = slices.DeleteFunc(c.queue.consumers, func(x *consumer) bool { return x == c })
	c.queue.leaveRound(c)
	for _, msg := range c.queue.messages {
		if msg.reserved == c {
			msg.reserved = nil
		}
	}
}
