package fsm

// An exclusive queue has one active consumer, the oldest that can be. It stays
// so until it ends, or is detached and holds nothing; the next one's leases
// have higher tokens.

// elect finds the active consumer of an exclusive queue if it has none.
func (s *State) elect(q *queue) {
	if !q.settings.Exclusive {
		q.active = 0
		return
	}
	if c, ok := s.consumers.Get(q.active); ok && !c.closing && (c.live || c.held.Len() > 0) {
		return
	}
	q.active = 0
	q.members.Scan(func(serial uint64, _ struct{}) bool {
		if c, _ := s.consumers.Get(serial); c.live && !c.closing {
			q.active = serial
		}
		return q.active == 0
	})
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
