package fsm

import (
	"math/bits"
	"slices"
)

// breaker is a queue's circuit breaker. While it is open nothing is handed
// out; half open it lets a few messages out as probes. A queue without one has
// none of this.
type breaker struct {
	state      BreakerState
	byHand     bool   // open until an operator closes it
	until      int64  // open by itself: when it begins to probe, on the lease clock; 0: else
	openMillis uint32 // how long it is open this time, or the next

	// Closed: the window.
	outcomes   uint32 // of the last leases, the newest in the lowest bit: 1 if it failed
	known      uint32 // how many of them there are
	downstream uint32 // failures of that kind in a row

	// Half open: the round.
	round   uint32 // probes in it
	good    uint32 // that succeeded
	running uint32 // that have no outcome yet
	probes  [breakerRoundMax]uint64
}

func newBreaker() *breaker { return &breaker{state: BreakerClosed, openMillis: breakerOpenMillis} }

func (b *breaker) clone() *breaker {
	if b == nil {
		return nil
	}
	c := *b
	return &c
}

// report is what the end of a lease tells a breaker.
type report uint8

const (
	reportNothing report = iota
	reportSuccess
	reportFailure
	reportDownstream
)

// report of an ending. What its consumer gave back undone, or lost by its own
// crash, tells nothing of the work itself.
func (e *ending) report() report {
	switch {
	case e.outcome == toDone:
		return reportSuccess
	case e.outcome == toDead:
		return reportFailure
	case e.downstream:
		return reportDownstream
	case e.failed && e.cause != CauseSessionEnded:
		return reportFailure
	}
	return reportNothing
}

// lets tells whether the breaker lets one more message out.
func (b *breaker) lets() bool {
	return b == nil || b.state == BreakerClosed || b.state == BreakerHalfOpen && b.running+b.good < b.round
}

// serves tells whether the breaker leaves a consumer in the round: one without
// acks cannot tell how a probe ended.
func (b *breaker) serves(c *consumer) bool {
	return b == nil || !c.noAck || b.state == BreakerClosed
}

// lent notes a lease.
func (b *breaker) lent(token uint64) {
	if b.state == BreakerHalfOpen {
		b.probes[b.running] = token
		b.running++
	}
}

// heard takes in how a lease ended, and tells whether a failure counts against
// its message. Half open, only the probes' do, and crashes: else a message that
// always fails would be the probe for ever, and hold up all behind it. As the
// first failure opens the breaker, no more than one counts for each opening,
// so that a long outage does not use up what the messages have.
func (s *State) heard(q *queue, token uint64, e *ending) (counts bool) {
	b, r := q.breaker, e.report()
	switch b.state {
	case BreakerClosed:
		if b.note(r) {
			s.openBreaker(q)
		}
		return true
	case BreakerHalfOpen:
		probe := b.ended(token)
		if probe {
			s.probed(q, r)
		}
		return probe || r == reportNothing
	}
	return false
}

// note puts an outcome into the window, and tells whether it is one too many.
func (b *breaker) note(r report) (trips bool) {
	if r == reportNothing {
		return false
	}
	b.outcomes = b.outcomes << 1 & breakerMask
	if r != reportSuccess {
		b.outcomes |= 1
	}
	b.known = min(b.known+1, breakerWindow)
	if b.downstream++; r != reportDownstream {
		b.downstream = 0
	}
	return b.tripped()
}

func (b *breaker) tripped() bool {
	return b.known >= breakerKnownMin && b.failures()*2 >= b.known || b.downstream >= breakerDownstream
}

func (b *breaker) failures() uint32 { return uint32(bits.OnesCount32(b.outcomes)) }

// ended takes a lease off the round's probes, if it is one.
func (b *breaker) ended(token uint64) bool {
	i := slices.Index(b.probes[:b.running], token)
	if i < 0 {
		return false
	}
	b.running--
	copy(b.probes[i:], b.probes[i+1:])
	b.probes[breakerRoundMax-1] = 0
	return true
}

// probed takes in how a probe ended. Without an outcome it is as if it had not
// been.
func (s *State) probed(q *queue, r report) {
	b := q.breaker
	switch {
	case r == reportFailure || r == reportDownstream:
		b.openMillis = min(2*b.openMillis, breakerOpenMillisMax)
		s.openBreaker(q)
	case r == reportNothing:
	case b.good+1 < b.round:
		b.good++
	case b.round == breakerRoundMax:
		*b = *newBreaker()
	default:
		b.begin(2 * b.round)
	}
}

// begin a round of so many probes.
func (b *breaker) begin(round uint32) {
	*b = breaker{state: BreakerHalfOpen, openMillis: b.openMillis, round: round}
}

func (s *State) openBreaker(q *queue) {
	b := q.breaker
	*b = breaker{state: BreakerIsOpen, openMillis: b.openMillis}
	s.timers.move(timerBreaker, q.incarnation, &b.until, s.clock.LeaseMillis+int64(b.openMillis))
}

// tryBreaker begins to probe. It returns false when this entry has done enough.
func (s *State) tryBreaker(q *queue) bool {
	if !s.affords(1) {
		return false
	}
	s.timers.move(timerBreaker, q.incarnation, &q.breaker.until, 0)
	q.breaker.begin(1)
	s.touch(q)
	return true
}

// resetBreaker follows the queue's setting.
func (s *State) resetBreaker(q *queue) {
	switch {
	case q.settings.Breaker == (q.breaker != nil):
		return
	case q.breaker == nil:
		q.breaker = newBreaker()
	default:
		s.timers.move(timerBreaker, q.incarnation, &q.breaker.until, 0)
		q.breaker = nil
	}
	s.touch(q)
}

// switchBreaker is the operator's hand.
func (s *State) switchBreaker(c *Breaker) Result {
	q := s.queueNamed(c.Queue)
	switch {
	case q == nil:
		return Result{Code: NotFound}
	case q.breaker == nil:
		return Result{Code: Invalid, Detail: "the queue has no circuit breaker"}
	case c.Action != BreakerOpen && c.Action != BreakerClose:
		return Result{Code: Invalid, Detail: "action is unknown"}
	}
	s.timers.move(timerBreaker, q.incarnation, &q.breaker.until, 0)
	*q.breaker = *newBreaker()
	if c.Action == BreakerOpen {
		q.breaker.state, q.breaker.byHand = BreakerIsOpen, true
	}
	s.touch(q)
	return Result{}
}

func (b *breaker) info() BreakerInfo {
	if b == nil {
		return BreakerInfo{}
	}
	return BreakerInfo{State: b.state, ByHand: b.byHand, UntilMillis: b.until, OpenMillis: b.openMillis,
		Outcomes: b.known, Failures: b.failures(), Downstream: b.downstream, Probes: b.running}
}
