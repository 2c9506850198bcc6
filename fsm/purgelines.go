package fsm

// keepLines makes the lines anew after a purge: those of messages that are
// leased stay what they were. Parked ones of which nothing is leased go as well:
// an operator said that nothing of the queue is to stay. The names are taken over
// if most of them stay.
func (s *State) keepLines(q *queue, was *lines) {
	if was == nil {
		return
	}
	s.doomed.Delete(q.incarnation)
	q.stock()
	o := newLines(q.gen)
	q.lines = o
	was.tenants.Scan(func(name string, t *tenant) bool {
		if t.weight != 0 {
			o.makeTenant(name).weight = t.weight
		}
		return true
	})
	if q.leased.Len() == 0 {
		q.endLines()
		return
	}
	most := q.leased.Len() >= was.all.Len()/2
	if most {
		o.named = was.named // nobody asks for what was purged by name
	}
	was.all.Scan(func(n uint32, old *line) bool {
		switch {
		case old.leased > 0 && most:
			o.put(s.kept(o, old))
		case old.leased > 0:
			o.add(s.kept(o, old))
		case most:
			delete(o.named, old.key())
		}
		return true
	})
	o.findFree()
	q.endLines()
}

// linesKept is how many lines and tenants keepLines looks at, one by one.
func (q *queue) linesKept() (n int) {
	if q.lines == nil {
		return 0
	}
	if q.leased.Len() > 0 {
		n = q.lines.all.Len()
	}
	return n + q.lines.tenants.Len() - 1 // "" is always there
}

// kept is a line with nothing but its leased messages.
func (s *State) kept(o *lines, old *line) *line {
	if old.open {
		s.consumer(old.last).open.Delete(openKey(old.size, old.number))
	}
	o.messages += uint64(old.leased)
	return &line{gen: o.gen, number: old.number, priority: old.priority, tenant: old.tenant, group: old.group, messages: uint64(old.leased),
		given: old.given, last: old.last, parked: old.parked, condemned: old.condemned, leased: old.leased}
}
