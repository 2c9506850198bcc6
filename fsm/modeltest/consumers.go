package modeltest

import "github.com/ferrymq/ferrymq/fsm"

func (m *Model) consume(x *fsm.Consume) Outcome {
	asked := *x
	asked.OpHeader = fsm.OpHeader{}
	fill(&asked.CreditMessages, fsm.DefaultCreditMessages)
	fill(&asked.CreditBytes, fsm.DefaultCreditBytes)
	fill(&asked.Concurrency, fsm.DefaultConcurrency)
	switch {
	case asked.CreditMessages > fsm.MaxCreditMessages, asked.CreditBytes > fsm.MaxCreditBytes,
		asked.Concurrency > fsm.MaxConcurrency,
		asked.LeaseMillis != 0 && (asked.LeaseMillis < fsm.MinLeaseMillis || asked.LeaseMillis > fsm.MaxLeaseMillis):
		return answer(fsm.Invalid)
	}
	s := m.sessions[x.Session]
	if c := s.consumers[x.Consumer]; c != nil {
		if c.asked != asked || c.closing {
			return answer(fsm.Conflict)
		}
		return Outcome{Code: fsm.OK, Value: c.queue.incarnation}
	}
	q := m.queues[x.Queue]
	if q == nil {
		return answer(fsm.NotFound)
	}
	credit := uint64(asked.CreditMessages)
	for _, other := range s.consumers {
		credit += uint64(other.asked.CreditMessages)
	}
	if len(s.consumers) >= fsm.MaxConsumersPerSession || credit > fsm.MaxSessionCredit {
		return busy(fsm.CauseSessions)
	}
	c := &consumer{session: s, number: x.Consumer, serial: m.nextSerial(), queue: q, asked: asked}
	s.consumers[x.Consumer] = c
	q.consumers = append(q.consumers, c)
	m.offer(c)
	return Outcome{Code: fsm.OK, Value: q.incarnation}
}

func fill(v *uint32, value uint32) {
	if *v == 0 {
		*v = value
	}
}

// cancel ends a consumer at once, or when its last message is settled.
func (m *Model) cancel(x *fsm.Cancel) Outcome {
	c := m.sessions[x.Session].consumers[x.Consumer]
	if c == nil {
		return answer(fsm.NotFound)
	}
	c.closing = true
	m.unreserve(c)
	if x.Return || len(c.held) == 0 {
		m.leave(c, fsm.CauseSettled)
	}
	return Outcome{Code: fsm.OK, Value: c.queue.incarnation}
}

// credit moves how far a consumer without acks has taken what it was assigned;
// never back.
func (m *Model) credit(x *fsm.Credit) Outcome {
	s := m.sessions[x.Session]
	if s == nil {
		return answer(fsm.SessionExpired)
	}
	if x.Epoch != s.epoch {
		return Outcome{Code: fsm.Fenced, Value: s.epoch}
	}
	c := s.consumers[x.Consumer]
	switch {
	case c == nil:
		return answer(fsm.NotFound)
	case !c.asked.NoAck || x.Through > c.assigned:
		return answer(fsm.Invalid)
	}
	for ; c.taken < x.Through; c.taken++ {
		c.untaken = c.untaken[1:]
	}
	m.offer(c)
	return Outcome{Code: fsm.OK, Value: c.taken}
}
