package fsm

import "github.com/ferrymq/ferrymq/fsm/record"

// arrival is a message on its way into a queue.
type arrival struct {
	index    uint64 // its id is (group, index, position)
	wall     int64  // when it entered the log
	position uint32
	size     uint32       // logical
	flags    flags        // of a request
	deadline int64        // the same, wall clock; 0: it is none
	info     *record.Info // its attributes; nil if the queue looks at none of them
}

// carried are the attributes that a queue does not look at.
const carried = record.Set(1<<record.TagContentType | 1<<record.TagCorrelationID |
	1<<record.TagReplyTo | 1<<record.TagDeadline | 1<<record.TagSubject)

// enter puts a message that was in another queue at the end.
func (s *State) enter(q *queue, m message, info *record.Info) {
	q.stock()
	m.line = q.lineFor(info)
	q.places++
	q.entered(m.line)
	q.bytes += uint64(m.size)
	q.published++
	s.putReady(q, q.places, m)
	s.touch(q)
}

// arrive puts a new message, whose body is stored and whom the queue has room
// for, at the end. No other place does; but see bury.
func (s *State) arrive(q *queue, a *arrival) {
	q.stock()
	n := q.lineFor(a.info)
	q.places++
	q.entered(n)
	p := packed{index: a.index, wall: a.wall, position: a.position, size: a.size}
	readyAt := s.readyAt(a.info)
	expires := q.expiresAt(readyAt, a.info)
	m := p.message()
	m.line, m.flags = n, a.flags
	if a.deadline != 0 && (expires == 0 || a.deadline < expires) {
		expires = a.deadline
	}
	switch {
	case readyAt > s.clock.WallMillis:
		m.at, m.expires, m.flags = millisOf(readyAt), millisOf(expires), m.flags|flagScheduled
		s.putWaiting(q, q.places, m)
	case expires != 0:
		m.expires = millisOf(expires)
		s.putReady(q, q.places, m)
	default:
		s.append(q, n, q.places, p)
	}
	q.bytes += uint64(a.size)
	q.published++
	s.touch(q)
	if s.trace != nil {
		s.tell(TracePublished, q, a.index, a.position, nil, 0, "")
	}
}
