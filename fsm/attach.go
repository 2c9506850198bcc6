package fsm

import "slices"

// attach binds a session to a connection at a node. What the session holds
// and the client does not name is delivered again, under the same token and
// attempt; what was assigned to its consumers without acks counts as taken,
// so that lost deliveries never eat credit.
func (s *State) attach(c *Attach) Result {
	x := s.sessionOf(c.Session)
	switch {
	case x == nil:
		return Result{Code: SessionExpired}
	case x.secret != c.Secret:
		return Result{Code: Denied}
	case c.Epoch < x.epoch:
		return Result{Code: Fenced, Value: x.epoch}
	case c.Epoch == 0:
		return Result{Code: Invalid, Detail: "epoch is 0"}
	case c.Node == "" || len(c.Node) > MaxNodeBytes:
		return Result{Code: Invalid, Detail: "node name is not 1 to 255 bytes"}
	case len(c.Tokens) > MaxHeldTokens:
		return Result{Code: TooLarge, Detail: "more than 65536 tokens held"}
	case !slices.IsSorted(c.Tokens):
		return Result{Code: Invalid, Detail: "tokens do not ascend"}
	case !s.affordsToil(toilHeld, s.heldBy(x)):
		return enough()
	}
	if x.attached && c.Epoch > x.epoch {
		for _, m := range x.consumers {
			s.closed(x, m.number, Fenced)
		}
	}
	x.epoch, x.node, x.attached = c.Epoch, c.Node, true
	s.timers.move(timerGrace, x.serial, &x.graceAt, 0)
	s.timers.move(timerIdle, x.serial, &x.idleAt, 0)
	for _, m := range x.consumers {
		s.wake(x, s.consumer(m.serial), c.Tokens)
	}
	return Result{Value: x.judged}
}

// heldBy counts a session's consumers and their leases.
func (s *State) heldBy(x *session) (n int) {
	for _, m := range x.consumers {
		c, _ := s.consumers.Get(m.serial)
		n += 1 + c.held.Len()
	}
	return n
}

// wake lets a consumer take part again.
func (s *State) wake(x *session, c *consumer, tokens []uint64) {
	q := s.queue(c.queue)
	if !c.live {
		c.live = true
		q.countPresent(c, 1)
	}
	c.taken, c.sizes = c.assigned, nil
	if c.noAck {
		c.heldBytes = 0
	}
	var earliest int64
	c.held.Scan(func(_, place uint64) bool {
		l, _ := q.leased.Get(place)
		if least := s.clock.LeaseMillis + int64(l.millis/2); l.deadline() < least {
			l.at = millisOf(least)
			q.leased.Set(place, l)
		}
		if earliest == 0 || l.deadline() < earliest {
			earliest = l.deadline()
		}
		if _, ok := slices.BinarySearch(tokens, l.token); !ok {
			s.deliver(x, c, q, place, &l)
		}
		return true
	})
	s.timers.move(timerLease, c.serial, &c.armedAt, earliest)
	s.offer(q, c)
	s.touch(q)
}
