package fsm

import (
	"fmt"
	"slices"
)

// checkBrakes checks that a queue has the breaker and the rate that its
// settings ask for, each in a state that it can be in.
func (s *State) checkBrakes(q *queue) error {
	if q.settings.Breaker != (q.breaker != nil) || (q.settings.DispatchRate != 0) != (q.bucket != nil) {
		return fmt.Errorf("breaker %v, rate %d, but not so", q.settings.Breaker, q.settings.DispatchRate)
	}
	if b := q.breaker; b != nil {
		if err := q.checkProbes(); err != nil || !b.sound() {
			return fmt.Errorf("breaker %+v: %w", *b, errOr(err, ErrBroken))
		}
	}
	if b := q.bucket; b != nil && (b.tokens < 0 || b.tokens > int64(q.settings.DispatchBurst)*wholeToken ||
		b.at > s.clock.LeaseMillis || b.due < 0) {
		return fmt.Errorf("bucket %+v", *b)
	}
	return nil
}

func (b *breaker) sound() bool {
	if b.openMillis < breakerOpenMillis || b.openMillis > breakerOpenMillisMax || b.until < 0 {
		return false
	}
	c := breaker{state: b.state, byHand: b.byHand, until: b.until, openMillis: b.openMillis} // what may differ
	switch b.state {
	case BreakerClosed:
		c = *newBreaker()
		c.outcomes, c.known, c.downstream = b.outcomes, b.known, b.downstream
		return *b == c && b.known <= breakerWindow && b.outcomes < 1<<b.known && b.downstream <= b.failures() && !b.tripped()
	case BreakerIsOpen:
		return *b == c && b.byHand == (b.until == 0)
	case BreakerHalfOpen:
		c.round, c.good, c.running, c.probes = b.round, b.good, b.running, b.probes
		return *b == c && !b.byHand && b.until == 0 && slices.Contains([]uint32{1, 2, breakerRoundMax}, b.round) &&
			b.good < b.round && b.running+b.good <= b.round
	}
	return false
}

// checkProbes checks that the probes are leases of the queue.
func (q *queue) checkProbes() error {
	b, found := q.breaker, uint32(0)
	if b.running == 0 {
		return nil
	}
	q.leased.Scan(func(_ uint64, l lease) bool {
		if slices.Contains(b.probes[:b.running], l.token) {
			found++
		}
		return true
	})
	if found != b.running {
		return fmt.Errorf("%d leases of %d probes", found, b.running)
	}
	return nil
}

// checkIdle checks that nothing that could be handed out waits.
func (s *State) checkIdle(q *queue) error {
	if q.paused || !q.breaker.lets() {
		return nil
	}
	serial, found := s.nextTaker(q)
	if !found {
		return nil
	}
	if b := q.bucket; b != nil && b.due != 0 {
		if at := q.nextToken(b.at); b.due != at {
			return fmt.Errorf("a token is there at %d, waited for until %d", at, b.due)
		}
		return nil
	}
	return fmt.Errorf("consumer %d has room, and a message waits", serial)
}
