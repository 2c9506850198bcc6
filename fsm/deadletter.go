package fsm

// deadLetter moves a message that left its place in q to q's dead-letter
// queue, in this same entry, so that it is never in both or in neither. A full
// one leaves it parked at its source. What is rejected in a dead-letter queue
// is dropped: a person looked at it and said so.
func (s *State) deadLetter(q *queue, place uint64, m message, reason, note string) {
	if q.deadLetter == 0 {
		q.dead++
		s.endMessage(q, &m, DeadLettered)
		return
	}
	if reason == DeathFailures || reason == DeathRejected {
		s.headFailed(q, m.line)
	}
	s.settleRequest(&m, DeadLettered)
	d := &Death{Queue: q.name, Reason: reason, Attempts: m.attempts, Failures: m.failures,
		Error: note, AtMillis: s.clock.WallMillis}
	if m.more != nil {
		d.History, d.Forgotten = m.more.history, m.more.forgotten
	}
	m.more = &more{death: d}
	m.at, m.expires, m.flags = millis{}, millis{}, m.flags&^(flagScheduled|flagRequest|flagNoRetry)
	s.buryOrPark(q, place, m)
}

// buryOrPark puts a dead message where there is room for it.
func (s *State) buryOrPark(q *queue, place uint64, m message) {
	d := s.queue(q.deadLetter)
	m.flags &^= flagAlone
	if d.fits(m.size) != CauseNone {
		q.parked.Set(place, m)
		if s.trace != nil {
			s.tell(TraceParked, q, m.index, m.position, nil, 0, "the dead-letter queue is full")
		}
		return
	}
	s.bury(q, d, m)
}

// bury puts a dead message into the dead-letter queue, as a new message with
// the old id.
func (s *State) bury(q, d *queue, m message) {
	q.dead++
	s.left(q, &m)
	m.attempts, m.failures, m.lastToken, m.lastEnd = 0, 0, 0, CauseNone
	m.expires, m.line, m.flags = millis{}, 0, 0
	d.stock()
	d.places++
	d.published++
	d.bytes += uint64(m.size)
	s.putReady(d, d.places, m)
	s.touch(d)
	if s.trace != nil && m.more != nil && m.more.death != nil {
		s.tell(TraceDead, q, m.index, m.position, nil, 0, m.more.death.Reason)
	}
}

// moveParked moves parked messages whose dead-letter queue has room again,
// in the order of their places, until one does not fit, and returns what is
// left of the budget.
func (s *State) moveParked(budget int) int {
	for budget > 0 {
		incarnation, _, ok := s.movable.Min()
		if !ok {
			break
		}
		q := s.queue(incarnation)
		d := s.queue(q.deadLetter)
		for ; budget > 0; budget-- {
			place, m, ok := q.parked.Min()
			if !ok || d.fits(m.size) != CauseNone {
				s.movable.Delete(incarnation)
				break
			}
			q.parked.Delete(place)
			s.bury(q, d, m)
		}
	}
	return budget
}
