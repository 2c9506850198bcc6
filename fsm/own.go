package fsm

import "slices"

// A snapshot pins every queue, session, consumer and junk as it is. Each
// carries the generation it was made in; Snapshot raises the state's, and
// whoever is going to change one gets it from here, where one of an older
// generation is first replaced by a copy. Within an entry the generation
// stands still, so a pointer from here stays the owner's until the entry ends.

func (s *State) queue(incarnation uint64) *queue {
	q, ok := s.queues.Get(incarnation)
	if !ok || q.gen == s.gen {
		return q
	}
	c := q.clone(s.gen)
	s.queues.Set(incarnation, c)
	return c
}

func (s *State) queueNamed(name string) *queue {
	incarnation, ok := s.names.Get(name)
	if !ok {
		return nil
	}
	return s.queue(incarnation)
}

func (s *State) session(serial uint64) *session {
	x, ok := s.sessions.Get(serial)
	if !ok || x.gen == s.gen {
		return x
	}
	c := *x // slices of a session are replaced or appended to, never written
	c.gen = s.gen
	s.sessions.Set(serial, &c)
	return &c
}

func (s *State) consumer(serial uint64) *consumer {
	x, ok := s.consumers.Get(serial)
	if !ok || x.gen == s.gen {
		return x
	}
	c := *x
	c.gen = s.gen
	held := x.held // Copy marks its receiver too, and x is pinned
	c.held = *held.Copy()
	s.consumers.Set(serial, &c)
	return &c
}

func (q *queue) clone(gen uint64) *queue {
	c := *q
	c.gen = gen
	if q.shelf != &noMessages {
		own := q.shelf.clone(gen)
		c.shelf = &own
	}
	c.window = q.window.clone()
	c.breaker, c.bucket = q.breaker.clone(), q.bucket.clone()
	return &c
}

func (h *shelf) clone(gen uint64) shelf {
	pinned := *h
	c := *h
	c.stack = h.stack.clone()
	c.lines = h.lines.clone(gen)
	c.leased = *pinned.leased.Copy()
	c.waiting = *pinned.waiting.Copy()
	c.parked = *pinned.parked.Copy()
	return c
}

func (k *stack) clone() stack {
	pinned := *k
	return stack{lane: k.lane.clone(), returned: *pinned.returned.Copy()}
}

func (l *lane) clone() lane {
	pinned := *l
	c := *l
	c.sealed = *pinned.sealed.Copy()
	c.tail.data = slices.Clone(l.tail.data)
	return c
}
