package fsm

import "math"

// bucket holds the tokens that hand-outs of a queue with a rate take. A rate
// of r messages a second is r thousandths of a token a millisecond.
type bucket struct {
	tokens int64 // thousandths, when it was filled last
	at     int64 // when that was, on the lease clock
	due    int64 // when a token is there for what waits; 0: nothing waits for one
}

const (
	wholeToken = 1000
	tokensMax  = math.MaxUint32 * wholeToken
)

func (b *bucket) clone() *bucket {
	if b == nil {
		return nil
	}
	c := *b
	return &c
}

// tokensAt is what is in the bucket now.
func (q *queue) tokensAt(now int64) int64 {
	b, perMilli := q.bucket, int64(q.settings.DispatchRate)
	full := int64(q.settings.DispatchBurst) * wholeToken
	if elapsed := now - b.at; elapsed <= (full-b.tokens)/perMilli {
		return b.tokens + elapsed*perMilli
	}
	return full
}

// nextToken is when the bucket has a whole token.
func (q *queue) nextToken(now int64) int64 {
	perMilli := int64(q.settings.DispatchRate)
	return now + (max(0, wholeToken-q.tokensAt(now))+perMilli-1)/perMilli
}

// takeToken takes one, which is there.
func (q *queue) takeToken(now int64) {
	q.bucket.tokens, q.bucket.at = q.tokensAt(now)-wholeToken, now
}

// mayHandOut tells whether breaker and rate let one more message out.
func (q *queue) mayHandOut(now int64) bool {
	return q.breaker.lets() && (q.bucket == nil || q.tokensAt(now) >= wholeToken)
}

// awaitToken sets the timer of a queue that has more to hand out than its rate
// allows now.
func (s *State) awaitToken(q *queue) {
	at, now := int64(0), s.clock.LeaseMillis
	if q.wantsToken() && q.tokensAt(now) < wholeToken {
		at = q.nextToken(now)
	}
	s.timers.move(timerRate, q.incarnation, &q.bucket.due, at)
}

// wantsToken tells whether a token might be of use, or will be soon.
func (q *queue) wantsToken() bool {
	return !q.paused && q.breaker.lets() && q.messages() > uint64(q.leased.Len()+q.parked.Len())
}

// wakeByRate hands out again. It returns false when this entry has done enough.
func (s *State) wakeByRate(q *queue) bool {
	if !s.affords(1) {
		return false
	}
	s.timers.move(timerRate, q.incarnation, &q.bucket.due, 0)
	s.touch(q)
	return true
}

// resetRate follows the queue's settings. A new rate begins with a full bucket.
func (s *State) resetRate(q *queue, was *Settings) {
	if q.settings.DispatchRate == was.DispatchRate && q.settings.DispatchBurst == was.DispatchBurst {
		return
	}
	if q.bucket != nil {
		s.timers.move(timerRate, q.incarnation, &q.bucket.due, 0)
		q.bucket = nil
	}
	if q.settings.DispatchRate != 0 {
		q.bucket = &bucket{tokens: int64(q.settings.DispatchBurst) * wholeToken, at: s.clock.LeaseMillis}
	}
	s.touch(q)
}

// rebrake follows a change of settings.
func (s *State) rebrake(q *queue, was *Settings) {
	s.resetBreaker(q)
	s.resetRate(q, was)
}

// unbrake lets go of the timers of a queue that goes.
func (s *State) unbrake(q *queue) {
	if q.breaker != nil {
		s.timers.move(timerBreaker, q.incarnation, &q.breaker.until, 0)
	}
	if q.bucket != nil {
		s.timers.move(timerRate, q.incarnation, &q.bucket.due, 0)
	}
}
