package fsm

import (
	"cmp"

	"github.com/tidwall/btree"
)

// timed is what of a queue's messages waits for a clock, in the order in which
// it is due: derived from the messages, in no snapshot, and never read through
// a pinned queue. A queue without such messages has none.
type timed struct {
	lease     *btree.BTreeG[due] // retrying: until they are ready again
	wall      *btree.BTreeG[due] // scheduled: until they are ready; the ready and retrying: until they expire
	scheduled uint64
}

// due is a message of a queue that is due at a time.
type due struct {
	at    int64
	place uint64
}

func newTimed() *timed {
	less := func(a, b due) bool { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.place, b.place)) < 0 }
	set := func() *btree.BTreeG[due] { return btree.NewBTreeGOptions(less, btree.Options{NoLocks: true}) }
	return &timed{lease: set(), wall: set()}
}

// over tells that a message's time is over.
func (m *message) over(wall int64) bool { return !m.expires.zero() && m.expires.int64() <= wall }

// onWall is when the wall clock has something to do with a message that is
// ready or waiting; 0: never. A scheduled one does not expire before it is ready.
func (m *message) onWall() int64 {
	if m.flags&flagScheduled != 0 {
		return m.at.int64()
	}
	return m.expires.int64()
}

// onLease is when the lease clock has.
func (m *message) onLease() int64 {
	if !m.retries() {
		return 0
	}
	return m.at.int64()
}

// watch notes when a ready or waiting message is due. The caller arms the queue.
func (q *queue) watch(place uint64, m *message) {
	lease, wall := m.onLease(), m.onWall()
	if lease == 0 && wall == 0 {
		return
	}
	if q.timed == nil {
		q.timed = newTimed()
	}
	if lease != 0 {
		q.timed.lease.Set(due{lease, place})
	}
	if wall != 0 {
		q.timed.wall.Set(due{wall, place})
	}
	if m.flags&flagScheduled != 0 {
		q.timed.scheduled++
	}
}

// unwatch is the end of a watch, as the message was then. The caller arms the
// queue.
func (q *queue) unwatch(place uint64, m *message) {
	lease, wall := m.onLease(), m.onWall()
	if lease == 0 && wall == 0 {
		return
	}
	if lease != 0 {
		q.timed.lease.Delete(due{lease, place})
	}
	if wall != 0 {
		q.timed.wall.Delete(due{wall, place})
	}
	if m.flags&flagScheduled != 0 {
		q.timed.scheduled--
	}
	if q.timed.lease.Len()+q.timed.wall.Len() == 0 {
		q.timed = nil
	}
}

// wakesAt is when a queue next has something to do, on each clock; 0: never.
func (q *queue) wakesAt() (lease, wall int64) {
	if q.timed == nil {
		return 0, 0
	}
	if d, ok := q.timed.lease.Min(); ok {
		lease = d.at
	}
	if d, ok := q.timed.wall.Min(); ok {
		wall = d.at
	}
	return lease, wall
}

// arm sets a queue's timers to what it waits for now. Whoever changes what
// wakesAt looks at calls it.
func (s *State) arm(q *queue) {
	lease, wall := q.wakesAt()
	s.timers.move(timerQueue, q.incarnation, &q.armedLease, lease)
	s.timers.move(timerWall, q.incarnation, &q.armedWall, wall)
}

// putReady makes a message with a record of its own ready at its place.
func (s *State) putReady(q *queue, place uint64, m message) {
	m.at = millis{}
	m.flags &^= flagScheduled
	if m.line == 0 {
		q.returned.Set(place, m)
	} else {
		q.lines.at(m.line).returned.Set(place, m)
		q.lines.where.Set(place, m.line)
	}
	if !m.expires.zero() {
		q.watch(place, &m)
		s.arm(q)
	}
	s.relist(q, m.line)
}

// putWaiting lets a message wait for m.at, on the wall clock if it is scheduled.
func (s *State) putWaiting(q *queue, place uint64, m message) {
	q.waiting.Set(place, m)
	q.watch(place, &m)
	s.arm(q)
	if m.line != 0 {
		l := q.lines.at(m.line)
		l.wait(place, &m)
		s.relistLine(q, l)
	}
}

// wakeByLease makes messages ready whose retry is due. It returns false when
// this entry has done enough.
func (s *State) wakeByLease(q *queue) bool {
	defer s.arm(q)
	for q.timed != nil {
		d, ok := q.timed.lease.Min()
		if !ok || d.at > s.clock.LeaseMillis {
			return true
		}
		if !s.affords(1) {
			return false
		}
		s.ripen(q, d.place)
	}
	return true
}

// wakeByWall makes scheduled messages ready that are due, and ends those whose
// time is over. It returns false when this entry has done enough.
func (s *State) wakeByWall(q *queue) bool {
	defer s.arm(q)
	for q.timed != nil {
		d, ok := q.timed.wall.Min()
		if !ok || d.at > s.clock.WallMillis {
			return true
		}
		if !s.affords(1) {
			return false
		}
		if m, waits := q.waiting.Get(d.place); waits && m.flags&flagScheduled != 0 {
			s.ripen(q, d.place)
			continue
		}
		s.outlive(q, d.place)
	}
	return true
}

// ripen makes a waiting message ready.
func (s *State) ripen(q *queue, place uint64) {
	m, ok := s.takeWaiting(q, place)
	if !ok {
		s.failf("nothing waits at place %d of queue %d", place, q.incarnation)
		return
	}
	s.putReady(q, place, m)
	s.touch(q)
	if s.trace != nil {
		s.tell(TraceReady, q, m.index, m.position, nil, 0, "")
	}
}

// outlive ends a message that was not settled in time. By its queue's
// settings it is a dead letter, or gone.
func (s *State) outlive(q *queue, place uint64) {
	m, ok := s.takeReturned(q, place)
	if !ok {
		m, ok = s.takeWaiting(q, place)
	}
	if !ok {
		s.failf("nothing expires at place %d of queue %d", place, q.incarnation)
		return
	}
	q.expired++
	s.touch(q) // what is behind it may fit where it did not
	if s.trace != nil {
		s.tell(TraceExpired, q, m.index, m.position, nil, 0, "")
	}
	if q.settings.ExpiredDead && m.flags&flagRequest == 0 {
		s.deadLetter(q, place, m, DeathExpired, "")
		return
	}
	s.endMessage(q, &m, Expired)
}
