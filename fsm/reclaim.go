package fsm

import "fmt"

// junk is what a purge or a deletion took away. It is detached at once and
// its bodies are dropped a part in each entry, so that neither takes longer
// for a longer queue. What is said of it is for the trace of its messages.
type junk struct {
	gen    uint64
	serial uint64
	queue  string
	index  uint64 // of the entry that took it away
	why    gone
	by     doer // in no snapshot: told by that entry only
	shelf
}

// gone says why messages were taken away that nobody judged one by one.
type gone uint8

const (
	gonePurged      gone = iota + 1
	goneWithQueue        // it was deleted
	goneWithTopic        // their queue was a subscription of it
	goneWithSession      // their queue was a subscription that went with it
	goneLast        = goneWithSession
)

// discard takes the messages of a queue away.
func (s *State) discard(q *queue, h shelf, why gone) {
	if h.messages() == 0 {
		return
	}
	j := &junk{gen: s.gen, serial: s.nextSerial(), queue: q.name, index: s.index, why: why, by: s.work.by, shelf: h}
	s.junk.Set(j.serial, j)
}

// reclaim drops messages of what was taken away first. Junk is done with when
// nothing of it is found any more, whatever was counted.
func (s *State) reclaim() {
	budget := s.bounds.Reclaim
	for budget > 0 {
		serial, j, ok := s.junk.Min()
		if !ok {
			return
		}
		if j.gen != s.gen {
			c := *j
			c.gen, c.shelf = s.gen, j.shelf.clone(s.gen)
			j = &c
			s.junk.Set(serial, j)
		}
		drop, more := s.dropJunk(j), true
		for more && budget > 0 {
			if more = j.popAny(drop); more {
				budget--
			}
		}
		left := j.messages()
		if more && left > 0 {
			return
		}
		if s.junk.Delete(serial); left > 0 {
			s.failf("junk %d has none of the %d messages that it counts", serial, left)
		}
	}
}

// dropJunk drops the body of a message that was purged or deleted, and tells of
// its end.
func (s *State) dropJunk(j *junk) func(index uint64, position uint32) {
	kind, detail := j.told(s.index)
	return func(index uint64, position uint32) {
		id := messageID{index, position}
		if s.trace != nil {
			e := s.event(kind, j.queue, id)
			e.Detail = detail
			if j.index == s.index {
				e.Session, e.Node = j.by.session, j.by.node
			}
			s.trace(e)
		}
		s.answer(id, DeadLettered, messageID{})
		s.drop(index, position)
	}
}

// told is what a trace says of its messages in an entry: which one took them
// away, if that was an earlier one.
func (j *junk) told(now uint64) (kind, detail string) {
	if kind = TraceQueueDeleted; j.why == gonePurged {
		kind = TracePurged
	}
	switch j.why {
	case goneWithTopic:
		detail = "with its topic"
	case goneWithSession:
		detail = "with its session"
	}
	if j.index != now {
		if detail != "" {
			detail += ", "
		}
		detail += fmt.Sprintf("by entry %d", j.index)
	}
	return kind, detail
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

// popAny removes the message with the lowest place. It comes upon no line that has
// nothing ready, of which there may be very many.
func (o *lines) popAny() (m message, ok bool) {
	if o == nil {
		return m, false
	}
	place, n, ok := o.where.PopMin()
	if !ok {
		return m, false
	}
	k := &o.at(n).stack
	_, m, _ = k.front()
	k.take(place)
	return m, true
}
