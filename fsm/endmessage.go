package fsm

// endMessage is the end of a message that was taken out of its place: its
// requester, if it has one, is told how, its queue has room, and its body goes
// when nobody else needs it. What a purge or a deletion takes away, all at once,
// ends in reclaim.go.
func (s *State) endMessage(q *queue, m *message, code Code) {
	s.settleRequest(m, code)
	s.left(q, m)
	s.drop(m.index, m.position)
}

// left accounts for a message that left a queue for good.
func (s *State) left(q *queue, m *message) {
	q.bytes -= uint64(m.size)
	if m.line != 0 {
		s.lineLeft(q, m.line)
	}
	s.roomIn(q)
}

func (s *State) drop(index uint64, position uint32) {
	if err := s.bodies.Drop(index, position); err != nil {
		s.fail(err)
	}
}
