package fsm

import "fmt"

func (s *State) checkSessions() (err error) {
	known, members := 0, 0
	s.sessions.Scan(func(serial uint64, x *session) bool {
		if err = s.checkSession(x); err != nil || serial != x.serial || serial > s.serials {
			err = fmt.Errorf("session %d: %w", serial, errOr(err, ErrBroken))
			return false
		}
		if !x.ending {
			known++
		}
		members += len(x.consumers)
		return true
	})
	if err == nil && (known != len(s.byID) || members != s.consumers.Len()) {
		err = fmt.Errorf("%d sessions, %d ids; %d consumers, %d of sessions", known, len(s.byID), s.consumers.Len(), members)
	}
	return err
}

func (s *State) checkSession(x *session) error {
	if at, ok := s.byID[x.id]; !x.ending && (!ok || at != x.serial) {
		return fmt.Errorf("its id is of %d", at)
	}
	if x.attached != (x.idleAt == 0) || x.attached != (x.node != "") || x.attached && x.graceAt != 0 || x.ending && x.idleAt != endNow {
		return fmt.Errorf("attached %v at %q, grace at %d, idle at %d, ending %v", x.attached, x.node, x.graceAt, x.idleAt, x.ending)
	}
	if x.graceAt < 0 || x.idleAt < endNow {
		return fmt.Errorf("deadlines %d, %d", x.graceAt, x.idleAt)
	}
	if !x.attached && !x.ending && x.graceAt == 0 && s.holds(x) > 0 {
		return fmt.Errorf("detached, holds leases, and no grace ends them")
	}
	items, last := 0, x.answered
	for i := range x.kept {
		k := &x.kept[i]
		if k.number <= last || k.number > x.judged {
			return fmt.Errorf("result of %d after %d, judged %d", k.number, last, x.judged)
		}
		last = k.number
		items += int(k.items)
	}
	if items != x.keptItems || items > WindowItems || len(x.kept) > WindowOperations {
		return fmt.Errorf("%d results, %d items kept, %d counted", len(x.kept), items, x.keptItems)
	}
	if x.lastOrdered > x.judged {
		return fmt.Errorf("ordered through %d, judged %d", x.lastOrdered, x.judged)
	}
	if len(x.consumers) > MaxConsumersPerSession || s.credit(x) > MaxSessionCredit {
		return fmt.Errorf("%d consumers with a credit of %d", len(x.consumers), s.credit(x))
	}
	return nil
}

func (s *State) checkConsumers() (err error) {
	var held, leased int
	s.consumers.Scan(func(serial uint64, c *consumer) bool {
		held += c.held.Len()
		if err = s.checkConsumer(c); err != nil || serial != c.serial || serial > s.serials {
			err = fmt.Errorf("consumer %d: %w", serial, errOr(err, ErrBroken))
			return false
		}
		return true
	})
	var members, hungry, turns, presentIn, present int
	s.queues.Scan(func(_ uint64, q *queue) bool {
		leased += q.leased.Len()
		members += q.members.Len()
		hungry += q.hungry.Len()
		presentIn += q.present
		return true
	})
	s.consumers.Scan(func(_ uint64, c *consumer) bool {
		if c.turn != 0 {
			turns++
		}
		if c.present() {
			present++
		}
		return true
	})
	if err == nil && (held != leased || members != s.consumers.Len() || hungry != turns || presentIn != present) {
		err = fmt.Errorf("%d leases, %d held; %d consumers, %d in queues; %d turns, %d in rounds; %d present, %d in queues",
			leased, held, s.consumers.Len(), members, turns, hungry, present, presentIn)
	}
	return err
}

func (s *State) checkConsumer(c *consumer) error {
	x, ok := s.sessions.Get(c.session)
	q, found := s.queues.Get(c.queue)
	if !ok || !found {
		return fmt.Errorf("session %d or queue %d is missing", c.session, c.queue)
	}
	if i, ok := x.find(c.number); !ok || x.consumers[i].serial != c.serial || c.live != x.attached {
		return fmt.Errorf("not number %d of its session, or not as live", c.number)
	}
	if c.creditMessages == 0 || c.creditMessages > MaxCreditMessages || c.creditBytes > MaxCreditBytes || leaseFault(c.leaseMillis) != "" {
		return fmt.Errorf("credit %d, %d bytes, lease %d", c.creditMessages, c.creditBytes, c.leaseMillis)
	}
	can := c.present() && c.kept == 0 && !c.alone && c.outstanding() < int(c.creditMessages)
	if at, in := q.hungry.Get(c.turn); can != (c.turn != 0) || can && (!in || at != c.serial) || c.turn > q.turns {
		return fmt.Errorf("turn %d of %d, can take %v", c.turn, q.turns, can)
	}
	if c.outstanding() > int(c.creditMessages) {
		return fmt.Errorf("%d of %d messages outstanding", c.outstanding(), c.creditMessages)
	}
	if n := c.outstanding(); n > 1 && c.heldBytes > uint64(c.creditBytes) {
		return fmt.Errorf("%d of %d bytes outstanding", c.heldBytes, c.creditBytes)
	}
	if err := checkAlone(q, c); err != nil {
		return err
	}
	if !c.noAck {
		return s.checkHeld(q, c)
	}
	if c.held.Len() > 0 || c.armedAt != 0 || c.closing || c.assigned-c.taken != uint64(len(c.sizes)) {
		return fmt.Errorf("without acks: %d held, %d assigned, %d taken, %d sizes", c.held.Len(), c.assigned, c.taken, len(c.sizes))
	}
	return nil
}

func (s *State) checkHeld(q *queue, c *consumer) (err error) {
	var bytes, token uint64
	c.held.Scan(func(number, place uint64) bool {
		l, ok := q.leased.Get(place)
		last := token
		token = l.token
		switch {
		case !ok || uint64(l.number) != number || l.consumer != c.serial || token <= last || token > s.tokens || l.number > c.lent:
			err = fmt.Errorf("token %d at place %d is not its lease number %d, after %d", token, place, number, last)
		case l.attempts == 0 || l.millis < MinLeaseMillis || l.millis > MaxLeaseMillis:
			err = fmt.Errorf("token %d: attempt %d, length %d", token, l.attempts, l.millis)
		case c.live && (c.armedAt == 0 || c.armedAt > l.deadline()):
			err = fmt.Errorf("token %d ends at %d, timer at %d", token, l.deadline(), c.armedAt)
		}
		bytes += uint64(l.size)
		return err == nil
	})
	switch {
	case err != nil:
		return err
	case bytes != c.heldBytes || len(c.sizes) > 0:
		return fmt.Errorf("%d bytes held, %d counted", bytes, c.heldBytes)
	case !c.live && c.armedAt != 0 || c.armedAt < 0:
		return fmt.Errorf("timer at %d, live %v", c.armedAt, c.live)
	case c.closing && c.held.Len() == 0:
		return fmt.Errorf("cancelled and holds nothing")
	}
	return nil
}

// checkTimers checks that the index has each deadline, and nothing else.
func (s *State) checkTimers() (err error) {
	n := 0
	has := func(kind timerKind, id uint64, at int64) {
		if at == 0 || err != nil {
			return
		}
		n++
		if _, ok := s.timers.of(kind).Get(timer{at, kind, id}); !ok {
			err = fmt.Errorf("no timer of kind %d for %d at %d", kind, id, at)
		}
	}
	s.sessions.Scan(func(serial uint64, x *session) bool {
		has(timerGrace, serial, x.graceAt)
		has(timerIdle, serial, x.idleAt)
		return true
	})
	s.consumers.Scan(func(serial uint64, c *consumer) bool {
		has(timerLease, serial, c.armedAt)
		return true
	})
	s.requests.all.Scan(func(serial uint64, a *asked) bool {
		has(timerAsked, serial, a.deadline)
		return true
	})
	s.queues.Scan(func(incarnation uint64, q *queue) bool {
		if lease, wall := q.wakesAt(); err == nil && (lease != q.armedLease || wall != q.armedWall) {
			err = fmt.Errorf("queue %d waits for %d and %d, timers at %d and %d", incarnation, lease, wall, q.armedLease, q.armedWall)
		}
		has(timerQueue, incarnation, q.armedLease)
		has(timerWall, incarnation, q.armedWall)
		if q.breaker != nil {
			has(timerBreaker, incarnation, q.breaker.until)
		}
		if q.bucket != nil {
			has(timerRate, incarnation, q.bucket.due)
		}
		return true
	})
	window := func(incarnation uint64, w *window) {
		if w != nil {
			has(timerDedup, incarnation, w.armedAt)
		}
	}
	s.queues.Scan(func(incarnation uint64, q *queue) bool { window(incarnation, q.window); return true })
	s.topics.Scan(func(incarnation uint64, t *topic) bool { window(incarnation, t.window); return true })
	if all := s.timers.lease.Len() + s.timers.onWall.Len(); err == nil && n != all {
		err = fmt.Errorf("%d timers, %d deadlines", all, n)
	}
	return err
}
