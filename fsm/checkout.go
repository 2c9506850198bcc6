package fsm

import (
	"math"

	"github.com/ferrymq/ferrymq/fsm/pages"
)

// A queue's consumers with room take turns. hungry holds them by turn; a
// consumer that was served and still has room goes to the end.

// offer puts a consumer into its queue's round or takes it out, by whether it
// can take a message.
func (s *State) offer(q *queue, c *consumer) {
	can := c.present() && c.kept == 0 && !c.alone && c.outstanding() < int(c.creditMessages)
	switch {
	case can && c.turn == 0:
		q.turns++
		c.turn = q.turns
		q.hungry.Set(c.turn, c.serial)
	case !can && c.turn != 0:
		q.hungry.Delete(c.turn)
		c.turn = 0
	}
	s.reopen(q, c)
}

// handOut gives a queue's ready messages, in their order, to consumers with
// credit. If the next message fits nobody's bytes, the rest waits behind it.
func (s *State) handOut(q *queue) {
	if q.bucket != nil {
		defer s.awaitToken(q)
	}
	s.elect(q)
	if !s.handReserved(q) {
		return
	}
	for q.hungry.Len() > 0 && s.mayHandOut(q) {
		n, ok := q.next()
		if !ok || n.message.over(s.clock.WallMillis) {
			return // what is due is never handed out: it expires in the next entry
		}
		serial, ok := s.takerOf(q, &n)
		if !ok {
			return
		}
		c := s.consumer(serial)
		if n.message.flags&flagAlone != 0 && c.held.Len() > 0 {
			s.reserve(q, c, &n)
			continue
		}
		q.count(&n)
		s.takeNext(q, &n)
		s.assign(q, c, n.place, n.message)
		q.counted(&n)
	}
}

func (s *State) mayHandOut(q *queue) bool {
	return !q.paused && s.broken == nil && q.mayHandOut(s.clock.LeaseMillis)
}

// takeNext takes what was chosen out of its place. The caller relists its line.
func (s *State) takeNext(q *queue, n *choice) {
	q.takeFront(n.line, n.place)
	if !n.message.expires.zero() {
		q.unwatch(n.place, &n.message)
		s.arm(q)
	}
}

// takerOf says who gets what was chosen: of a group, who has the rest of the
// batch or had the last one, and else the next with room.
func (s *State) takerOf(q *queue, n *choice) (serial uint64, ok bool) {
	if n.line != 0 {
		l, _ := q.lines.all.Get(n.line)
		c, ok := s.consumers.Get(l.last)
		if ok && c.turn != 0 && c.hasRoom(n.message.size) && s.eligible(q, c) {
			return l.last, true
		}
	}
	if n.message.flags&flagAlone != 0 {
		return s.loner(q, n.message.size)
	}
	return s.pick(q, n.message.size)
}

// pick returns the next consumer with room for a message of this size.
func (s *State) pick(q *queue, size uint32) (serial uint64, ok bool) {
	if _, serial, _ = q.hungry.Min(); serial != 0 {
		if c, _ := s.consumers.Get(serial); c.hasRoom(size) && s.eligible(q, c) {
			return serial, true
		}
	}
	q.hungry.Scan(func(_, at uint64) bool {
		c, _ := s.consumers.Get(at)
		serial, ok = at, c.hasRoom(size) && s.eligible(q, c)
		return !ok
	})
	return serial, ok
}

// assign gives a message to a consumer: for good without acks, else under a
// lease. No other place does.
func (s *State) assign(q *queue, c *consumer, place uint64, m message) {
	l := lease{message: m, consumer: c.serial, millis: orDefault(c.leaseMillis, q.settings.LeaseMillis)}
	l.attempts++
	c.heldBytes += uint64(m.size)
	x := s.session(c.session)
	if c.noAck {
		c.assigned++
		c.sizes = append(c.sizes, m.size)
	} else {
		s.tokens++
		l.token = s.tokens
		deadline := s.clock.LeaseMillis + int64(l.millis)
		l.at = millisOf(deadline)
		q.leasedBytes += uint64(m.size)
		l.number = s.numberFor(q, c)
		c.held.Set(uint64(l.number), place)
		q.leased.Set(place, l)
		if q.breaker != nil {
			q.breaker.lent(l.token)
		}
		c.alone = l.flags&flagAlone != 0
		if c.armedAt == 0 || deadline < c.armedAt {
			s.timers.move(timerLease, c.serial, &c.armedAt, deadline)
		}
	}
	if q.bucket != nil {
		q.takeToken(s.clock.LeaseMillis)
	}
	s.deliver(x, c, q, place, &l)
	if s.trace != nil {
		s.tell(TraceDelivered, q, l.index, l.position, c, l.token, "")
	}
	s.grouped(q, m.line, c)
	if c.noAck {
		q.acked++
		s.endMessage(q, &m, OK)
	}
	s.served(q, c)
}

// numberFor gives a consumer's next lease its number. They are dense, so that
// what it holds takes little memory, and begin anew before they end.
func (s *State) numberFor(q *queue, c *consumer) uint32 {
	switch {
	case c.held.Len() == 0:
		c.lent = 0
	case c.lent == math.MaxUint32:
		held := c.held
		c.held, c.lent = pages.Map[uint64]{}, 0
		held.Scan(func(_, place uint64) bool {
			l, _ := q.leased.Get(place)
			c.lent++
			l.number = c.lent
			c.held.Set(uint64(l.number), place)
			q.leased.Set(place, l)
			return true
		})
	}
	c.lent++
	return c.lent
}

// served moves a consumer to the end of the round, or out of it.
func (s *State) served(q *queue, c *consumer) {
	if c.outstanding() < int(c.creditMessages) && !c.alone && c.turn != 0 {
		if q.hungry.Len() == 1 {
			s.reopen(q, c)
			return
		}
		q.hungry.Delete(c.turn)
		q.turns++
		c.turn = q.turns
		q.hungry.Set(c.turn, c.serial)
	} else if c.turn != 0 {
		q.hungry.Delete(c.turn)
		c.turn = 0
	}
	s.reopen(q, c)
}

// deliver asks the outside to hand a message to a consumer's connection.
func (s *State) deliver(x *session, c *consumer, q *queue, place uint64, l *lease) {
	b, err := s.bodies.Get(l.index, l.position)
	if err != nil {
		s.fail(err)
		return
	}
	e := Effect{
		Kind: EffectDeliver, Session: x.id, Epoch: x.epoch, Node: x.node, Consumer: c.number,
		Incarnation: q.incarnation, Place: place, Token: l.token,
		ID:      ID{Group: s.group, Index: l.index, Position: l.position},
		Attempt: l.attempts, Failures: l.failures, EnqueuedMillis: l.wall.int64(), Death: l.death(), Body: b,
		Request: l.flags&flagRequest != 0,
	}
	if c.noAck {
		e.Number = c.assigned
	} else {
		e.LeaseMillis = l.millis
	}
	s.emit(&e)
}
