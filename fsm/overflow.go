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
	crowded      bool // see crowded.go

	gone, taken amount // by acks before, and by the plan

	// What a queue that drops its oldest may drop, by place: messages it has,
	// read as far as needed, and behind them the planned ones.
	known   []uint32 // sizes
	all     bool     // they are all it has
	planned []uint32
	dropped int // how many from the front are planned to be dropped
}

// amount of messages.
type amount struct{ messages, bytes uint64 }

// roomOf is the room in a queue after so much left it and its dead-letter
// queue by acks.
func (s *State) roomOf(q *queue, gone, deadGone amount) room {
	d, _ := s.queues.Get(q.deadLetter)
	return room{queue: q, dead: d, messages: q.messages() - gone.messages, bytes: q.bytes - gone.bytes,
		deadMessages: d.messages() - deadGone.messages, deadBytes: d.bytes - deadGone.bytes,
		stuck: uint64(q.leased.Len()+q.parked.Len()) - gone.messages, stuckBytes: q.leasedBytes - gone.bytes,
		crowded: q.crowded == s.index, gone: gone}
}

// judge tells whether a queue takes a message of this size by its overflow
// policy, and how many of its oldest unleased ones have to go for it: all that
// are needed, or none. Of what the effort affords, so many drops are kept for
// others.
func (s *State) judge(r *room, size uint32, e *effort, kept int) (v Verdict, victims int) {
	q := r.queue
	full := q.within(r.messages+1, r.bytes+uint64(size))
	if full == CauseNone {
		return Verdict{}, 0
	}
	busy := Verdict{Code: Busy, Cause: full, RetryAfterMillis: RetryFullMillis}
	switch {
	case q.settings.Overflow == OverflowDropNew:
		return Verdict{Code: Dropped}, 0
	case q.settings.Overflow != OverflowDropOldest, r.hopeless(size):
		return busy, 0
	}
	most := e.affords(s.bounds.Room - kept)
	if least, _ := r.needs(size); !r.crowded && least <= uint64(most) {
		victims, enough, sure := r.victims(size, most)
		if enough {
			return Verdict{}, victims
		}
		e.looked += max(0, victims-lookFree)
		if sure {
			return busy, 0
		}
	}
	if !s.givesWay(q) {
		return busy, 0
	}
	r.crowded = true
	return Verdict{Code: Busy, Cause: CauseRoom, RetryAfterMillis: RetryRoomMillis}, 0
}

// hopeless tells that no dropping would do, as far as that is known before
// anything is looked through.
func (r *room) hopeless(size uint32) bool {
	messages, bytes := r.needs(size)
	return r.queue.within(r.stuck+1, r.stuckBytes+uint64(size)) != CauseNone ||
		r.dead.within(r.deadMessages+messages, r.deadBytes+bytes) != CauseNone
}

// needs is the least that has to go from a full queue for a message.
func (r *room) needs(size uint32) (messages, bytes uint64) {
	limits := &r.queue.settings
	messages = 1
	if n := r.messages + 1; limits.MaxMessages > 0 && n > limits.MaxMessages {
		messages = n - limits.MaxMessages
	}
	if n := r.bytes + uint64(size); limits.MaxBytes > 0 && n > limits.MaxBytes {
		bytes = n - limits.MaxBytes
	}
	return messages, bytes
}

// victims counts the messages that have to go from a full queue, up to a bound,
// and tells whether they are enough; if not, whether it is sure that more would
// not be.
func (r *room) victims(size uint32, most int) (victims int, enough, sure bool) {
	messages, bytes, deadMessages, deadBytes := r.messages+1, r.bytes+uint64(size), r.deadMessages, r.deadBytes
	for !enough && victims < most {
		n, ok := r.victim(victims, most)
		deadMessages, deadBytes = deadMessages+1, deadBytes+uint64(n)
		if !ok || r.dead.within(deadMessages, deadBytes) != CauseNone {
			return victims, false, true
		}
		messages, bytes = messages-1, bytes-uint64(n)
		enough = r.queue.within(messages, bytes) == CauseNone
		victims++
	}
	return victims, enough, false
}

// victim is the size of the message that goes as number k from now on, of so
// many at most.
func (r *room) victim(k, most int) (size uint32, ok bool) {
	most += r.dropped
	k += r.dropped
	if k >= len(r.known) && !r.all {
		r.look(min(2*k+1, most))
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
		n, _ := r.victim(0, victims)
		r.dropped++
		r.messages, r.bytes = r.messages-1, r.bytes-uint64(n)
		r.deadMessages, r.deadBytes = r.deadMessages+1, r.deadBytes+uint64(n)
	}
	r.messages, r.bytes = r.messages+1, r.bytes+uint64(size)
	r.taken.messages, r.taken.bytes = r.taken.messages+1, r.taken.bytes+uint64(size)
	r.planned = append(r.planned, size)
}

// admits judges a new message by the state as it is.
func (s *State) admits(q *queue, a *arrival, e *effort, kept int) (v Verdict, victims int) {
	if !q.holds(a.size) {
		return Verdict{Code: TooLarge}, 0
	}
	if cause := s.lineCause(q, a.info, nil); cause != CauseNone {
		return Verdict{Code: Busy, Cause: cause, RetryAfterMillis: RetryFullMillis}, 0
	}
	if q.fits(a.size) == CauseNone {
		return Verdict{}, 0
	}
	r := s.roomOf(q, amount{}, amount{})
	return s.judge(&r, a.size, e, kept)
}

// makeRoom drops so many of the oldest unleased messages for a new one.
func (s *State) makeRoom(q *queue, victims int, e *effort) {
	e.dropped += victims - 1
	for range victims {
		s.dropOldest(q)
	}
}

func (s *State) dropOldest(q *queue) {
	place, m, ok := s.takeOldest(q)
	if !ok {
		s.failf("queue %d has nothing to drop", q.incarnation)
		return
	}
	q.overflowed++
	s.arm(q)
	s.deadLetter(q, place, m, DeathOverflow, "")
}

// oldest is the message with the lowest place that is not leased.
type oldest struct {
	place uint64
	line  uint32
	waits bool // it is not ready
}

func (q *queue) oldest() (o oldest, ok bool) {
	o.place, o.line, ok = q.oldestReady()
	if at, _, waits := q.waiting.Min(); waits && (!ok || at < o.place) {
		return oldest{place: at, waits: true}, true
	}
	return o, ok
}

func (q *queue) sizeOf(o *oldest) uint32 {
	if o.waits {
		m, _ := q.waiting.Get(o.place)
		return m.size
	}
	_, m, _ := q.stackOf(o.line).front()
	return m.size
}

// takeOldest takes out the oldest message.
func (s *State) takeOldest(q *queue) (place uint64, m message, ok bool) {
	o, ok := q.oldest()
	switch {
	case !ok:
	case o.waits:
		m, _ = s.takeWaiting(q, o.place)
	default:
		_, m = s.takeReady(q, o.line)
	}
	return o.place, m, ok
}

// eachUnleased visits the sizes of the messages that takeOldest would take, in
// its order.
func (q *queue) eachUnleased(visit func(size uint32) bool) {
	ready, waiting := q.walkReady(), q.waiting.Iter()
	more := waiting.First()
	for {
		place, size, ok := ready.next()
		for more && (!ok || waiting.Key() < place) {
			if m := waiting.Value(); !visit(m.size) {
				return
			}
			more = waiting.Next()
		}
		if !ok || !visit(size) {
			return
		}
	}
}
