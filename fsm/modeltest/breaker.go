package modeltest

import (
	"github.com/ferrymq/ferrymq/fsm"
)

// outcome of a lease as a circuit breaker hears it.
type outcome uint8

const (
	silent outcome = iota // it tells nothing
	succeeded
	failed
	downstream
)

const (
	outcomesMax   = 20
	outcomesMin   = 10
	downstreamMax = 5
	openMillis    = 10_000
	openMillisMax = 300_000
	roundMax      = 4
)

// breaker of a queue that has one.
type breaker struct {
	state      fsm.BreakerState
	byHand     bool
	until      int64
	length     uint32 // of this opening, or of the next
	outcomes   []bool // of the last leases: whether they failed
	downstream uint32 // failures of that kind in a row
	round      uint64 // probes of this round
	number     uint64 // of the round
	running    uint64 // probes that have no outcome yet
	good       uint64 // probes that succeeded
}

func newBreaker() *breaker { return &breaker{state: fsm.BreakerClosed, length: openMillis} }

// setBreaker follows the queue's setting.
func (q *queue) setBreaker() {
	switch {
	case !q.settings.Breaker:
		q.breaker = nil
	case q.breaker == nil:
		q.breaker = newBreaker()
	}
}

// heard takes in how a lease ended, and tells whether a failure counts against
// the message.
func (m *Model) heard(q *queue, o outcome, probe uint64) (counts bool) {
	b := q.breaker
	if b == nil {
		return true
	}
	switch b.state {
	case fsm.BreakerClosed:
		b.heardClosed(o, m.clock.LeaseMillis)
		return true
	case fsm.BreakerHalfOpen:
		if probe != b.number {
			return o == silent
		}
		b.heardProbe(o, m.clock.LeaseMillis)
		return true
	}
	return false
}

func (b *breaker) heardClosed(o outcome, now int64) {
	if o == silent {
		return
	}
	if b.downstream++; o != downstream {
		b.downstream = 0
	}
	b.outcomes = append(b.outcomes, o != succeeded)
	b.outcomes = b.outcomes[max(0, len(b.outcomes)-outcomesMax):]
	n, bad := len(b.outcomes), int(b.failures())
	if n >= outcomesMin && bad*2 >= n || b.downstream >= downstreamMax {
		b.open(now)
	}
}

func (b *breaker) failures() (n uint32) {
	for _, bad := range b.outcomes {
		if bad {
			n++
		}
	}
	return n
}

func (b *breaker) open(now int64) {
	b.state, b.until = fsm.BreakerIsOpen, now+int64(b.length)
	b.outcomes, b.downstream = nil, 0
	b.round, b.running, b.good = 0, 0, 0
}

func (b *breaker) heardProbe(o outcome, now int64) {
	b.running--
	switch o {
	case succeeded:
		if b.good++; b.good < b.round {
			return
		}
		if b.round == roundMax {
			*b = breaker{state: fsm.BreakerClosed, length: openMillis, number: b.number}
			return
		}
		b.begin(b.round * 2)
	case failed, downstream:
		b.length = min(b.length*2, openMillisMax)
		b.open(now)
	}
}

// begin a round of so many probes.
func (b *breaker) begin(round uint64) {
	b.number++
	b.state, b.until, b.round, b.running, b.good = fsm.BreakerHalfOpen, 0, round, 0, 0
}

// lets tells whether the breaker lets one more message out.
func (b *breaker) lets() bool {
	return b == nil || b.state == fsm.BreakerClosed || b.state == fsm.BreakerHalfOpen && b.running+b.good < b.round
}

// probing: half open.
func (b *breaker) probing() bool { return b != nil && b.state == fsm.BreakerHalfOpen }

// switchBreaker is the operator's hand.
func (m *Model) switchBreaker(x *fsm.Breaker) Outcome {
	q := m.queues[x.Queue]
	switch {
	case q == nil:
		return answer(fsm.NotFound)
	case q.breaker == nil, x.Action < fsm.BreakerOpen || x.Action > fsm.BreakerClose:
		return answer(fsm.Invalid)
	}
	number := q.breaker.number
	*q.breaker = *newBreaker()
	q.breaker.number = number
	if x.Action == fsm.BreakerOpen {
		q.breaker.state, q.breaker.byHand = fsm.BreakerIsOpen, true
	}
	return answer(fsm.OK)
}

func (b *breaker) info() fsm.BreakerInfo {
	if b == nil {
		return fsm.BreakerInfo{}
	}
	return fsm.BreakerInfo{
		State: b.state, ByHand: b.byHand, UntilMillis: b.until, OpenMillis: b.length,
		Outcomes: uint32(len(b.outcomes)), Failures: b.failures(), Downstream: b.downstream, Probes: uint32(b.running),
	}
}
