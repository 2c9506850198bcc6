package modeltest

import "github.com/ferrymq/ferrymq/fsm"

// makeRoom tells why a queue does not take a message, after it drove the oldest
// ones out if that is the queue's policy and makes the room: all that is
// needed, or none.
func (m *Model) makeRoom(q *queue, size uint64) fsm.Cause {
	victims, cause := m.victims(q, size, 0)
	if cause != fsm.CauseNone {
		m.crowd(q, size, cause)
		return cause
	}
	*m.spent(q) += len(victims) - 1
	for _, msg := range victims {
		m.overflow(q, msg)
	}
	return fsm.CauseNone
}

// overflow drops one message to make room.
func (m *Model) overflow(q *queue, msg *message) {
	q.overflowed++
	m.letGo(msg)
	m.reply(msg, fsm.DeadLettered)
	msg.death = &fsm.Death{
		Queue: q.name, Reason: fsm.DeathOverflow, Attempts: msg.attempts, Failures: msg.failures,
		AtMillis: m.clock.WallMillis, History: msg.history, Forgotten: msg.forgotten,
	}
	m.bury(q, msg)
}

// victims are the oldest messages that nobody holds, as many as make room for
// one of this size, or why they are not dropped. The entry may drop no more
// than it has left, and keeps some for others.
func (m *Model) victims(q *queue, size uint64, kept int) (all []*message, cause fsm.Cause) {
	full := q.fits(size)
	if full == fsm.CauseNone || q.settings.Overflow != fsm.OverflowDropOldest {
		return nil, full
	}
	use, dead := q.use(), q.dlq.use()
	use.messages, use.bytes = use.messages+1, use.bytes+size
	over := use.over(q)
	if !q.holds(amount{q.stuck() + 1, q.leasedBytes() + size}) || !q.dlq.holds(amount{dead.messages + max(1, over.messages), dead.bytes + over.bytes}) {
		return nil, full
	}
	most := uint64(m.bounds.Room - *m.spent(q) - kept + 1)
	room := fsm.CauseRoom
	if !q.givesWay(m.attempting) {
		room = full // it would come no further
	}
	if q.crowded || over.messages > most {
		return nil, room
	}
	for _, msg := range q.messages {
		if q.holds(use) || uint64(len(all)) == most {
			break
		}
		if !msg.free() {
			continue
		}
		use = amount{use.messages - 1, use.bytes - msg.size()}
		dead = amount{dead.messages + 1, dead.bytes + msg.size()}
		if !q.dlq.holds(dead) {
			return nil, full
		}
		all = append(all, msg)
	}
	switch {
	case q.holds(use):
		return all, fsm.CauseNone
	case uint64(len(all)) == most:
		return nil, room
	}
	return nil, full
}

// free: nobody holds it, though somebody may be kept for it.
func (msg *message) free() bool { return msg.status != leased && msg.status != parked }

type amount struct{ messages, bytes uint64 }

func (q *queue) use() amount { return amount{uint64(len(q.messages)), q.bytes()} }

// holds tells whether so much is within the limits.
func (q *queue) holds(a amount) bool {
	s := q.settings
	return (s.MaxMessages == 0 || a.messages <= s.MaxMessages) && (s.MaxBytes == 0 || a.bytes <= s.MaxBytes)
}

// tooSmall tells whether a message is larger than all that may be in the queue.
func (q *queue) tooSmall(size uint64) bool { return !q.holds(amount{0, size}) }

// over is what is beyond the limits.
func (a amount) over(q *queue) (b amount) {
	if limit := q.settings.MaxMessages; limit > 0 && a.messages > limit {
		b.messages = a.messages - limit
	}
	if limit := q.settings.MaxBytes; limit > 0 && a.bytes > limit {
		b.bytes = a.bytes - limit
	}
	return b
}

func (q *queue) stuck() (n uint64) {
	for _, msg := range q.messages {
		if !msg.free() {
			n++
		}
	}
	return n
}

func (q *queue) leasedBytes() (n uint64) {
	for _, msg := range q.messages {
		if msg.status == leased {
			n += msg.size()
		}
	}
	return n
}
