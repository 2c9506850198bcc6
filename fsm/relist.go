package fsm

// Whatever changes what is ready of a line, or whether it can be served, goes
// through here. A queue without lines knows its only front by itself.

// relist notes what is ready of a line, and whether it can be served.
func (s *State) relist(q *queue, n uint32) {
	o := q.lines
	switch {
	case o == nil:
	case n == 0:
		q.relistPlain()
		q.endLines()
	default:
		s.relistLine(q, o.at(n))
	}
}

func (q *queue) relistPlain() {
	o := q.lines
	front, _, ok := q.front()
	t := o.tenant("")
	o.list(&o.plain, t, 0, DefaultPriority, front, ok)
	q.level(t)
}

func (s *State) relistLine(q *queue, l *line) {
	front, listed := s.survey(q, l)
	t := q.lines.tenant(l.tenant)
	q.lines.list(&l.spot, t, l.number, l.priority, front, listed)
	q.level(t)
}

// survey finds the front of a line and whether it can be served, and keeps
// what follows from them for the line alone.
func (s *State) survey(q *queue, l *line) (front uint64, listed bool) {
	o := q.lines
	front, m, ok := l.stack.front()
	if l.condemned && (ok || l.waits != nil) {
		o.doomed.Set(l.number, struct{}{})
		s.doomed.Set(q.incarnation, struct{}{})
	} else if l.condemned {
		s.undoom(q, l)
	}
	if ok && l.group != "" && l.leased > 0 && l.given < q.settings.GroupBatch {
		s.unclose(q, l, m.size)
	} else {
		s.close(l)
	}
	return front, ok && s.servable(q, l, m.size)
}

func (s *State) undoom(q *queue, l *line) {
	q.lines.doomed.Delete(l.number)
	if q.lines.doomed.Len() == 0 {
		s.doomed.Delete(q.incarnation)
	}
}

// list moves a line to where it stands now.
func (o *lines) list(at *spot, t *tenant, n uint32, priority uint8, front uint64, listed bool) {
	if front == at.front && listed == at.listed {
		return
	}
	if at.listed {
		t.ready.Delete(rank(priority, at.front))
	}
	if listed {
		t.ready.Set(rank(priority, front), n)
	}
	*at = spot{front, listed}
}

// append adds a new message, without state of its own, at the end of a line.
func (s *State) append(q *queue, n uint32, place uint64, m packed) {
	if n == 0 {
		q.lane.append(place, m)
	} else {
		l := q.lines.at(n)
		l.lane.append(place, m)
		q.lines.where.Set(place, n)
	}
	s.relist(q, n)
}

// entered accounts for a new message of a line.
func (q *queue) entered(n uint32) {
	if n != 0 {
		q.lines.at(n).messages++
		q.lines.messages++
	}
}

// takeReturned takes a ready message with a record of its own away from its
// place. The caller arms the queue.
func (s *State) takeReturned(q *queue, place uint64) (message, bool) {
	m, ok := q.returned.Delete(place)
	if !ok && q.lines != nil {
		m, ok = q.takeReturnedOfLine(place)
	}
	if ok {
		q.unwatch(place, &m)
		s.relist(q, m.line)
	}
	return m, ok
}

func (q *queue) takeReturnedOfLine(place uint64) (m message, ok bool) {
	n, ok := q.lines.where.Get(place)
	if !ok {
		return m, false
	}
	if m, ok = q.lines.at(n).returned.Delete(place); ok {
		q.lines.where.Delete(place)
	}
	return m, ok
}

// takeFront takes the front of a line away. The caller relists it.
func (q *queue) takeFront(n uint32, place uint64) {
	if n == 0 {
		q.stack.take(place)
		return
	}
	q.lines.at(n).stack.take(place)
	q.lines.where.Delete(place)
}

// takeReady takes the front of a line away. The caller arms the queue.
func (s *State) takeReady(q *queue, n uint32) (place uint64, m message) {
	place, m, _ = q.stackOf(n).front()
	m.line = n
	q.takeFront(n, place)
	q.unwatch(place, &m)
	s.relist(q, n)
	return place, m
}

// takePacked takes a ready message without state of its own out of its line.
func (s *State) takePacked(q *queue, n uint32, place uint64) {
	if n == 0 {
		q.lane.remove(place)
	} else {
		q.lines.at(n).lane.remove(place)
		q.lines.where.Delete(place)
	}
	s.relist(q, n)
}

// takeWaiting takes a waiting message away from its
// place. The caller arms the queue.
func (s *State) takeWaiting(q *queue, place uint64) (message, bool) {
	m, ok := q.waiting.Delete(place)
	if ok {
		q.unwatch(place, &m)
	}
	if ok && m.line != 0 {
		l := q.lines.at(m.line)
		l.waits.Delete(place)
		if l.waits.Len() == 0 {
			l.waits = nil
		}
		if m.retries() {
			l.retrying--
		}
		if m.flags&flagReserved != 0 {
			l.reserved = false
		}
		s.relistLine(q, l)
	}
	if m.flags&flagReserved != 0 {
		m.flags &^= flagReserved
		s.release(q, place)
	}
	return m, ok
}

// lineLeft accounts for a message of a line that left its queue. With the last
// one the line ends; one that is parked ends when it is resumed, and what
// followed its head has all followed by now.
func (s *State) lineLeft(q *queue, n uint32) {
	l := q.lines.at(n)
	l.messages--
	q.lines.messages--
	if l.messages > 0 {
		return
	}
	s.relistLine(q, l)
	if l.parked {
		l.condemned = false
		return
	}
	q.endLine(l)
}
