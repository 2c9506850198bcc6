package fsm

// An exclusive queue has one active consumer, the oldest that can be. It stays
// so while it holds something, cancelled or detached; the next one's leases
// have higher tokens.

// elect finds the active consumer of an exclusive queue if it has none. Groups
// of which who is no longer active holds a batch wait for its end.
func (s *State) elect(q *queue) {
	was := q.active
	q.active = s.activeOf(q)
	if q.active == was {
		return
	}
	for _, serial := range [...]uint64{q.active, was} {
		if c, ok := s.consumers.Get(serial); ok {
			s.reopen(q, c)
		}
	}
}

// activeOf is the consumer that is to be active, 0 if there is none.
func (s *State) activeOf(q *queue) (serial uint64) {
	if !q.settings.Exclusive {
		return 0
	}
	if c, ok := s.consumers.Get(q.active); ok && (c.present() || c.held.Len() > 0) {
		return q.active
	}
	q.members.Scan(func(at uint64, _ struct{}) bool {
		if c, _ := s.consumers.Get(at); c.present() {
			serial = at
		}
		return serial == 0
	})
	return serial
}

// eligible tells whether a consumer may be handed messages of its queue now.
func (s *State) eligible(q *queue, c *consumer) bool {
	return (!q.settings.Exclusive || q.active == c.serial) && q.breaker.serves(c)
}

// yields says that the active consumer may have to give way.
func (s *State) yields(q *queue) {
	if q.settings.Exclusive {
		s.touch(q)
	}
}
