package modeltest

import (
	"fmt"
	"slices"

	"github.com/ferrymq/ferrymq/fsm"
)

// handouts hands out of every queue what can be, and compares it with what the
// machine handed out: in the order in which it did for each queue.
func (m *Model) handouts(effects []fsm.Effect) error {
	of := map[uint64][]fsm.Effect{}
	for _, e := range effects {
		if e.Token != 0 {
			if e.Token <= m.token {
				return fmt.Errorf("token %d after %d", e.Token, m.token)
			}
			m.token = e.Token
		}
		of[e.Incarnation] = append(of[e.Incarnation], e)
	}
	for _, q := range m.queueList() {
		rest, err := m.handOut(q, of[q.incarnation])
		if err != nil {
			return fmt.Errorf("%s: %w", q.name, err)
		}
		if len(rest) > 0 {
			return fmt.Errorf("%s: handed out and should not be: %+v\n%s", q.name, rest[0], q)
		}
		delete(of, q.incarnation)
	}
	for _, all := range of {
		return fmt.Errorf("handed out of no queue: %+v", all[0])
	}
	return nil
}

// handOut follows the machine step by step.
func (m *Model) handOut(q *queue, got []fsm.Effect) ([]fsm.Effect, error) {
	for {
		msg, c := m.nextDelivery(q)
		if msg == nil {
			return got, nil
		}
		if len(got) == 0 {
			return nil, fmt.Errorf("place %d was held back though consumer %d of %x can take it\n%s", msg.place, c.number, c.session.id[:2], q)
		}
		if e := got[0]; e.Place != msg.place || e.Session != c.session.id || e.Consumer != c.number {
			return nil, fmt.Errorf("handed out %+v, want place %d to consumer %d of %x\n%s", e, msg.place, c.number, c.session.id[:2], q)
		}
		if err := m.deliver(c, msg, got[0]); err != nil {
			return nil, fmt.Errorf("hand-out %+v: %w", got[0], err)
		}
		got = got[1:]
	}
}

// nextDelivery is what must be handed out next, and to whom; nil: nothing.
func (m *Model) nextDelivery(q *queue) (*message, *consumer) {
	q.fillBucket(m.clock.LeaseMillis)
	q.elect()
	for !q.paused && q.breaker.lets() && q.hasToken() {
		if msg, c := q.reservation(); msg != nil {
			return msg, c
		}
		msg := q.choose()
		if msg == nil {
			return nil, nil
		}
		c := q.pick(msg)
		if c == nil {
			return nil, nil
		}
		if msg.alone && len(c.held) > 0 {
			m.reserve(msg, c)
			continue
		}
		return msg, c
	}
	return nil, nil
}

// deliver gives the message to the consumer, and compares.
func (m *Model) deliver(c *consumer, msg *message, e fsm.Effect) error {
	q := c.queue
	q.served(msg)
	q.takeToken()
	msg.attempts++
	msg.reserved = nil
	msg.line.last = c
	if c.asked.NoAck {
		return m.assign(c, msg, e)
	}
	msg.status, msg.holder, msg.token = leased, c, e.Token
	msg.length = int64(c.leaseMillis())
	msg.deadline = m.clock.LeaseMillis + msg.length
	if b := q.breaker; b != nil && b.state == fsm.BreakerHalfOpen {
		b.running++
		msg.probe = b.number
	}
	c.arm(msg.deadline)
	c.held = append(c.held, msg)
	msg.line.given++
	m.served(c)
	return m.sameEffect(e, c.delivery(msg))
}

func (c *consumer) leaseMillis() uint32 {
	if c.asked.LeaseMillis != 0 {
		return c.asked.LeaseMillis
	}
	return c.queue.settings.LeaseMillis
}

// assign gives the message to a consumer without acks; it is gone at once.
func (m *Model) assign(c *consumer, msg *message, e fsm.Effect) error {
	want := c.delivery(msg)
	c.assigned++
	want.Number, want.Token, want.LeaseMillis = c.assigned, 0, 0
	if err := m.sameEffect(e, want); err != nil {
		return err
	}
	c.untaken = append(c.untaken, msg.size())
	c.queue.acked++
	c.queue.remove(msg)
	m.reply(msg, fsm.OK)
	m.served(c)
	return nil
}

// offer puts a consumer that can take messages at the end of its queue's
// round, and takes one that cannot out of it.
func (m *Model) offer(c *consumer) {
	in := slices.Contains(c.queue.round, c)
	switch can := c.able(); {
	case can && !in:
		c.queue.round = append(c.queue.round, c)
	case !can && in:
		c.queue.leaveRound(c)
	}
	c.queue.survey()
}

func (q *queue) leaveRound(c *consumer) {
	q.round = slices.DeleteFunc(q.round, func(x *consumer) bool { return x == c })
}

// served: who was served goes to the end of the round.
func (m *Model) served(c *consumer) {
	c.queue.leaveRound(c)
	m.offer(c)
	c.queue.survey()
}

// able tells whether the consumer takes part in hand-outs.
func (c *consumer) able() bool {
	return c.session.attached() && !c.closing && len(c.held)+len(c.untaken) < int(c.asked.CreditMessages) &&
		!c.secluded()
}

// room tells whether a message of this size keeps the consumer within its
// credit. A consumer that holds nothing can take any one message.
func (c *consumer) room(size uint64) bool {
	n := len(c.held) + len(c.untaken)
	return n == 0 || n < int(c.asked.CreditMessages) && c.heldBytes()+size <= uint64(c.asked.CreditBytes)
}
