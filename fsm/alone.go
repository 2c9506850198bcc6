package fsm

import "github.com/tidwall/btree"

// A message that was begun when its session was lost is suspected of it. From
// then on it is leased only as its consumer's single unsettled message, so
// that it can take no other down with it. When it is its turn and nobody holds
// nothing, one consumer is kept for it: that one is handed nothing more until
// it has settled the rest, while the others go on with what is behind.

// suspect notes that a lease ended with its holder.
func (q *queue) suspect(m *message, e *ending) {
	if e.crashed && e.failed && q.deadLetter != 0 {
		m.flags |= flagAlone
	}
}

// loner is who gets a message that has to be alone: the first in turn who
// holds nothing or, without acks, has room. If there is none, the first with
// acks is to be kept for it.
func (s *State) loner(q *queue, size uint32) (serial uint64, ok bool) {
	q.hungry.Scan(func(_, at uint64) bool {
		c, _ := s.consumers.Get(at)
		switch {
		case !s.eligible(q, c), c.noAck && !c.hasRoom(size):
			return true
		case c.held.Len() == 0:
			serial = at
			return false
		case serial == 0:
			serial = at
		}
		return true
	})
	return serial, serial != 0
}

// reserve has a consumer settle what it holds, to have the chosen message then.
func (s *State) reserve(q *queue, c *consumer, n *choice) {
	s.takeNext(q, n)
	c.kept = n.place
	q.keptFor(n.place, c.serial)
	n.message.flags |= flagReserved
	s.putWaiting(q, n.place, n.message)
	s.offer(q, c)
	s.relist(q, n.line)
}

func (q *queue) keptFor(place, serial uint64) {
	if q.kept == nil {
		q.kept = new(btree.Map[uint64, uint64])
	}
	q.kept.Set(place, serial)
}

// release says that nobody is kept for a message any more, which was taken
// out of its place.
func (s *State) release(q *queue, place uint64) {
	serial, _ := q.kept.Delete(place)
	if q.kept.Len() == 0 {
		q.kept = nil
	}
	c := s.consumer(serial)
	c.kept = 0
	s.offer(q, c)
}

// letGo makes the message that a consumer is kept for ready for anybody.
func (s *State) letGo(q *queue, c *consumer) {
	if c.kept == 0 {
		return
	}
	place := c.kept
	m, _ := s.takeWaiting(q, place)
	s.putReady(q, place, m)
	s.arm(q)
	s.touch(q)
}

// letGoBehind does so when another message of the same group was not done: that
// one may be before it, or its failure may hold the group back.
func (s *State) letGoBehind(q *queue, c *consumer, n uint32) {
	if c.kept == 0 || n == 0 {
		return
	}
	l, _ := q.lines.all.Get(n)
	if m, _ := q.waiting.Get(c.kept); m.line == n && l.group != "" {
		s.letGo(q, c)
	}
}

// letGoAll does so for all consumers that are kept.
func (s *State) letGoAll(q *queue) {
	for q.kept != nil {
		_, serial, _ := q.kept.Min()
		s.letGo(q, s.consumer(serial))
	}
}

// vacant finds a consumer that has settled all but what it is kept for.
func (s *State) vacant(q *queue) (place, serial uint64, ok bool) {
	if q.kept == nil {
		return 0, 0, false
	}
	q.kept.Scan(func(at, kept uint64) bool {
		c, _ := s.consumers.Get(kept)
		place, serial, ok = at, kept, c.held.Len() == 0
		return !ok
	})
	return place, serial, ok
}

// handReserved gives consumers that have settled the rest what they are kept
// for. It returns false when it comes upon one whose time is over: that expires
// first, in the next entry.
func (s *State) handReserved(q *queue) bool {
	for s.mayHandOut(q) {
		place, serial, ok := s.vacant(q)
		if !ok {
			break
		}
		if m, _ := q.waiting.Get(place); m.over(s.clock.WallMillis) {
			return false
		}
		m, _ := s.takeWaiting(q, place)
		s.arm(q)
		s.assign(q, s.consumer(serial), place, m)
	}
	return true
}

// releaseAll lets go of all consumers that are kept, before the messages go.
func (s *State) releaseAll(q *queue) {
	for q.kept != nil {
		place, _, _ := q.kept.Min()
		s.release(q, place)
	}
}

// reserved is the number of messages that consumers are kept for.
func (q *queue) reserved() uint64 {
	if q.kept == nil {
		return 0
	}
	return uint64(q.kept.Len())
}

// keeper is the consumer that is kept for the message at a place.
func (q *queue) keeper(place uint64) (serial uint64, ok bool) {
	if q.kept == nil {
		return 0, false
	}
	return q.kept.Get(place)
}

// nextTaker is who would be handed something now.
func (s *State) nextTaker(q *queue) (serial uint64, ok bool) {
	if place, kept, free := s.vacant(q); free {
		m, _ := q.waiting.Get(place)
		return kept, !m.over(s.clock.WallMillis)
	}
	n, ok := q.next()
	if !ok || n.message.over(s.clock.WallMillis) {
		return 0, false
	}
	return s.takerOf(q, &n)
}
