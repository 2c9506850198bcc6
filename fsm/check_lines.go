package fsm

import "fmt"

// checkLines checks that a queue's lines are counted and listed as what is in
// them says.
func (s *State) checkLines(q *queue) error {
	o := q.lines
	if o == nil {
		return nil
	}
	if o.idle() || q.deadLetter == 0 {
		return fmt.Errorf("there are no lines, but tenants")
	}
	found := map[uint32]*line{}
	count := func(m *message, with func(*line)) (err error) {
		l, ok := o.all.Get(m.line)
		switch {
		case m.line == 0:
			return nil
		case !ok:
			return fmt.Errorf("line %d is missing", m.line)
		}
		f := found[m.line]
		if f == nil {
			f = &line{}
			found[m.line] = f
		}
		f.messages++
		with(f)
		if f.leased > 0 && l.group != "" && f.last != l.last {
			return fmt.Errorf("line %d is leased by consumer %d, not %d", m.line, f.last, l.last)
		}
		return nil
	}
	var err error
	each := func(m *message, with func(*line)) bool {
		err = count(m, with)
		return err == nil
	}
	q.leased.Scan(func(_ uint64, m lease) bool {
		return each(&m.message, func(l *line) { l.leased, l.last = l.leased+1, m.consumer })
	})
	if err == nil {
		q.waiting.Scan(func(place uint64, m message) bool { return each(&m, func(l *line) { l.wait(place, &m) }) })
	}
	if err == nil {
		q.parked.Scan(func(_ uint64, m message) bool { return each(&m, func(*line) {}) })
	}
	if err != nil {
		return err
	}
	return s.checkEachLine(q, found)
}

func (s *State) checkEachLine(q *queue, found map[uint32]*line) (err error) {
	o := q.lines
	var ready, messages uint64
	listed, doomed, open := map[string]int{}, 0, 0
	byTenant := map[string]int{}
	o.all.Scan(func(n uint32, l *line) bool {
		f := found[n]
		if f == nil {
			f = &line{}
		}
		front, m, ok := l.stack.front()
		can := ok && s.servable(q, l, m.size)
		switch {
		case l.number != n || o.named[l.key()] != n || q.lineFault(l) != "":
			err = fmt.Errorf("line %d: %s", n, q.lineFault(l))
		case l.messages != f.messages+l.stack.ready() || l.messages == 0 && (!l.parked || l.condemned):
			err = fmt.Errorf("line %d: %d messages counted, %d found", n, l.messages, f.messages+l.stack.ready())
		case l.leased != f.leased || l.retrying != f.retrying || l.reserved != f.reserved:
			err = fmt.Errorf("line %d: %d leased, %d retrying, reserved %v; found %+v", n, l.leased, l.retrying, l.reserved, f)
		case l.group != "" && (l.given < l.leased || l.leased == 0 && l.given > 0 || l.last > s.serials):
			err = fmt.Errorf("line %d: %d of the batch given, %d leased, by %d", n, l.given, l.leased, l.last)
		case l.spot.front != front || l.listed != can:
			err = fmt.Errorf("line %d: stands at %+v, not at %d %v", n, l.spot, front, can)
		}
		if (l.waits == nil) != (f.waits == nil) || l.waits != nil && l.waits.Len() != f.waits.Len() {
			err = fmt.Errorf("line %d: waits", n)
		}
		l.stack.each(func(place uint64, _ message) bool {
			if at, known := o.where.Get(place); !known || at != n {
				err = fmt.Errorf("line %d: place %d is said to be of line %d", n, place, at)
			}
			return err == nil
		})
		if l.listed {
			listed[l.tenant]++
		}
		if l.condemned && (ok || l.waits != nil) {
			doomed++
		}
		if l.open {
			open++
			if c, held := s.consumers.Get(l.last); !held {
				err = fmt.Errorf("line %d is open to nobody", n)
			} else if _, held = c.open.Get(openKey(m.size, n)); !held || l.size != m.size {
				err = fmt.Errorf("line %d is open, and consumer %d does not know", n, l.last)
			} else if c.seen != s.groupRoom(q, c) {
				err = fmt.Errorf("line %d is open, and was looked at with room %d, not %d", n, c.seen, s.groupRoom(q, c))
			}
		}
		ready += l.stack.ready()
		messages += l.messages
		byTenant[l.tenant]++
		return err == nil
	})
	q.members.Scan(func(serial uint64, _ struct{}) bool {
		c, _ := s.consumers.Get(serial)
		open -= c.open.Len()
		return true
	})
	front, _, ok := q.front()
	if ok {
		listed[""]++
	}
	switch _, in := s.doomed.Get(q.incarnation); {
	case err != nil:
		return err
	case o.plain != spot{front, ok}:
		return fmt.Errorf("the plain line stands at %+v, not at %d", o.plain, front)
	case ready != uint64(o.where.Len()) || messages != o.messages || open != 0:
		return fmt.Errorf("lines: %d ready, %d of them at known places, %d messages, %d open", ready, o.where.Len(), messages, open)
	case doomed != o.doomed.Len() || in != (doomed > 0):
		return fmt.Errorf("lines: %d condemned, %d listed", doomed, o.doomed.Len())
	}
	return q.checkTenants(byTenant, listed)
}

func (q *queue) checkTenants(lines, listed map[string]int) (err error) {
	o := q.lines
	if o.tenants.Len() > MaxTenants+1 {
		return fmt.Errorf("%d tenants", o.tenants.Len())
	}
	turns := 0
	o.tenants.Scan(func(name string, t *tenant) bool {
		if t.turn != 0 {
			turns++
		}
		at, in := o.ring.Get(t.turn)
		switch {
		case t.name != name || len(name) > MaxKeyBytes || t.lines != lines[name] || t.ready.Len() != listed[name]:
			err = fmt.Errorf("tenant %q: %d lines, %d listed", name, t.lines, t.ready.Len())
		case name != "" && t.lines == 0 && t.weight == 0:
			err = fmt.Errorf("tenant %q has nothing", name)
		case t.weight == 1 || t.weight > MaxTenantWeight || !q.settings.Fair && (t.weight != 0 || name != ""):
			err = fmt.Errorf("tenant %q: weight %d", name, t.weight)
		case t.guard > 0 && t.ready.Len() == 0:
			err = fmt.Errorf("tenant %q: passed by %d times, but nothing is", name, t.guard)
		case (t.turn != 0) != (q.settings.Fair && t.ready.Len() > 0) || t.turn != 0 && (!in || at != name):
			err = fmt.Errorf("tenant %q: turn %d, %d lines can be served", name, t.turn, t.ready.Len())
		case t.used > 0 && (t.turn == 0 || t.used >= t.quantum()):
			err = fmt.Errorf("tenant %q: %d of %d used", name, t.used, t.quantum())
		}
		return err == nil
	})
	if err == nil && turns != o.ring.Len() {
		err = fmt.Errorf("%d turns, %d in the ring", turns, o.ring.Len())
	}
	return err
}
