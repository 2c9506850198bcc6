package fsm

// junk is what a purge or a deletion took away. It is detached at once and
// its bodies are dropped a part in each entry, so that neither takes longer
// for a longer queue.
type junk struct {
	gen    uint64
	serial uint64
	shelf
}

func (s *State) discard(h shelf) {
	if h.messages() == 0 {
		return
	}
	j := &junk{gen: s.gen, serial: s.nextSerial(), shelf: h}
	s.junk.Set(j.serial, j)
}

func (s *State) reclaim() {
	budget := reclaimMax
	for budget > 0 {
		serial, j, ok := s.junk.Min()
		if !ok {
			return
		}
		if j.gen != s.gen {
			j = &junk{gen: s.gen, serial: serial, shelf: j.shelf.clone(s.gen)}
			s.junk.Set(serial, j)
		}
		for ; budget > 0 && j.popAny(s.dropJunk); budget-- {
		}
		if j.messages() == 0 {
			s.junk.Delete(serial)
		}
	}
}

// dropJunk drops the body of a message that was purged or deleted.
func (s *State) dropJunk(index uint64, position uint32) {
	s.answer(messageID{index, position}, DeadLettered, messageID{})
	s.drop(index, position)
}

// popAny removes one message and hands its id over, in a fixed order.
func (h *shelf) popAny(drop func(index uint64, position uint32)) bool {
	if _, m, ok := h.lane.front(); ok {
		h.lane.pop()
		drop(m.index, m.position)
		return true
	}
	if place, m, ok := h.returned.Min(); ok {
		h.returned.Delete(place)
		drop(m.index, m.position)
		return true
	}
	if m, ok := h.lines.popAny(); ok {
		drop(m.index, m.position)
		return true
	}
	if place, m, ok := h.waiting.Min(); ok {
		h.waiting.Delete(place)
		drop(m.index, m.position)
		return true
	}
	if place, m, ok := h.parked.Min(); ok {
		h.parked.Delete(place)
		drop(m.index, m.position)
		return true
	}
	if place, m, ok := h.leased.Min(); ok {
		h.leased.Delete(place)
		drop(m.index, m.position)
		return true
	}
	return false
}

// popAny removes one message of the line with the lowest number.
func (o *lines) popAny() (m message, ok bool) {
	if o == nil {
		return m, false
	}
	for {
		n, _, found := o.all.Min()
		if !found {
			return m, false
		}
		l := o.at(n)
		if _, p, waits := l.lane.front(); waits {
			l.lane.pop()
			o.ready--
			return p.message(), true
		}
		if _, m, ok = l.returned.PopMin(); ok {
			o.ready--
			return m, true
		}
		o.all.Delete(n)
	}
}
