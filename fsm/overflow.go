package fsm

import "slices"

// room is how full a queue and its dead-letter queue are: now, or after what
// a plan has in mind for them.
type room struct {
	queue, dead  *queue
	messages     uint64
	bytes        uint64
	deadMessages uint64
	deadBytes    uint64
	stuck        uint64 // messages that are not dropped in any case
	stuckBytes   uint64

	// What a queue that drops its oldest may drop, by place: messages it has,
	// read as far as needed, and behind them the planned ones.
	known   []uint32 // sizes
	all     bool     // they are all it has
	planned []uint32
	gone    int // how many from the front are planned to be dropped
}

// roomOf is the room in a queue after so much left it and its dead-letter
// queue by acks.
func (s *State) roomOf(q *queue, gone, deadGone freed) room {
	d, _ := s.queues.Get(q.deadLetter)
	return room{queue: q, dead: d, messages: q.messages() - gone.messages, bytes: q.bytes - gone.bytes,
		deadMessages: d.messages() - deadGone.messages, deadBytes: d.bytes - deadGone.bytes,
		stuck: uint64(q.leased.Len()+q.parked.Len()) + q.reserved() - gone.messages, stuckBytes: q.leasedBytes - gone.bytes}
}

// judge tells whether a queue takes a message of this size by its overflow
// policy, and how many of its oldest unleased ones have to go for it.
func (r *room) judge(size uint32) (v Verdict, victims int) {
	q := r.queue
	full := q.within(r.messages+1, r.bytes+uint64(size))
	if full == CauseNone {
		return Verdict{}, 0
	}
	busy := Verdict{Code: Busy, Cause: full, RetryAfterMillis: RetryFullMillis}
	switch {
	case q.settings.Overflow == OverflowDropNew:
		return Verdict{Code: Dropped}, 0
	case q.settings.Overflow != OverflowDropOldest,
		// Known not to do before everything is looked through.
		q.within(r.stuck+1, r.stuckBytes+uint64(size)) != CauseNone:
		return busy, 0
	}
	messages, bytes, deadMessages, deadBytes := r.messages+1, r.bytes+uint64(size), r.deadMessages, r.deadBytes
	for ; full != CauseNone; victims++ {
		n, ok := r.victim(victims)
		deadMessages, deadBytes = deadMessages+1, deadBytes+uint64(n)
		if !ok || r.dead.within(deadMessages, deadBytes) != CauseNone {
			return busy, 0
		}
		messages, bytes = messages-1, bytes-uint64(n)
		full = q.within(messages, bytes)
	}
	return Verdict{}, victims
}

// victim is the size of the message that goes as number k from now on.
func (r *room) victim(k int) (size uint32, ok bool) {
	k += r.gone
	if k >= len(r.known) && !r.all {
		r.look(2*k + 1)
	}
	if k < len(r.known) {
		return r.known[k], true
	}
	if k -= len(r.known); k < len(r.planned) {
		return r.planned[k], true
	}
	return 0, false
}

// look reads the first n messages that may be dropped.
func (r *room) look(n int) {
	r.known = slices.Grow(r.known[:0], min(n, 1<<10))
	r.queue.eachUnleased(func(size uint32) bool {
		r.known = append(r.known, size)
		return len(r.known) < n
	})
	r.all = len(r.known) < n
}

// book plans that the queue takes a message and drops victims for it.
func (r *room) book(size uint32, victims int) {
	for range victims {
		n, _ := r.victim(0)
		r.gone++
		r.messages, r.bytes = r.messages-1, r.bytes-uint64(n)
		r.deadMessages, r.deadBytes = r.deadMessages+1, r.deadBytes+uint64(n)
	}
	r.messages, r.bytes = r.messages+1, r.bytes+uint64(size)
	r.planned = append(r.planned, size)
}

// take judges a message and books it if it is taken.
func (r *room) take(size uint32) Verdict {
	v, victims := r.judge(size)
	if v.Code == OK {
		r.book(size, victims)
	}
	return v
}

// admits judges a new message by the state as it is.
func (s *State) admits(q *queue, a *arrival) Verdict {
	if !q.lineFits(a.info) {
		return Verdict{Code: Busy, Cause: CauseMessages, RetryAfterMillis: RetryFullMillis}
	}
	return s.takes(q, a.size)
}

// takes judges a message by the state as it is.
func (s *State) takes(q *queue, size uint32) Verdict {
	if q.fits(size) == CauseNone {
		return Verdict{}
	}
	r := s.roomOf(q, freed{}, freed{})
	v, _ := r.judge(size)
	return v
}

// makeRoom drops the oldest unleased messages until one of this size fits.
func (s *State) makeRoom(q *queue, size uint32) {
	for q.fits(size) != CauseNone && s.broken == nil {
		place, m, ok := s.takeOldest(q)
		if !ok {
			s.failf("queue %d has nothing to drop", q.incarnation)
			return
		}
		q.overflowed++
		s.arm(q)
		s.deadLetter(q, place, m, DeathOverflow, "")
	}
}

// takeOldest takes out the message with the lowest place that is not leased.
func (s *State) takeOldest(q *queue) (place uint64, m message, ok bool) {
	place, n, ok := q.oldestReady()
	if at, waits := q.oldestWaiting(); waits && (!ok || at < place) {
		m, _ = s.takeWaiting(q, at)
		return at, m, true
	}
	if ok {
		place, m = s.takeReady(q, n)
	}
	return place, m, ok
}

// eachUnleased visits the sizes of the messages that takeOldest would take, in
// its order.
func (q *queue) eachUnleased(visit func(size uint32) bool) {
	ready, waiting := q.walkReady(), q.waiting.Iter()
	more := waiting.First()
	for {
		place, size, ok := ready.next()
		for more && (!ok || waiting.Key() < place) {
			if m := waiting.Value(); m.flags&flagReserved == 0 && !visit(m.size) {
				return
			}
			more = waiting.Next()
		}
		if !ok || !visit(size) {
			return
		}
	}
}
