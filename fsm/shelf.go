package fsm

import "github.com/ferrymq/ferrymq/fsm/pages"

// stack holds what is ready of one line. Its front is the lowest place.
type stack struct {
	lane     lane               // without state of their own
	returned pages.Map[message] // the others, by place
}

func (k *stack) ready() uint64 { return k.lane.count + uint64(k.returned.Len()) }

// front is the ready message with the lowest place.
func (k *stack) front() (place uint64, m message, ok bool) {
	place, p, waiting := k.lane.front()
	if k.returned.Len() > 0 {
		if at, r, _ := k.returned.Min(); !waiting || at < place {
			return at, r, true
		}
	}
	return place, p.message(), waiting
}

// take removes the message that front returned.
func (k *stack) take(place uint64) {
	if _, ok := k.returned.Delete(place); !ok {
		k.lane.pop()
	}
}

// shelf holds the messages of a queue. Its places are unique over all parts.
type shelf struct {
	stack                      // what is ready of the plain line
	lines   *lines             // the other lines; nil if there are none
	leased  pages.Map[lease]   // by place
	waiting pages.Map[message] // not ready: scheduled, until their retry, or reserved; by place
	parked  pages.Map[message] // dead, but their dead-letter queue is full; by place
}

// noMessages is the shelf of every queue that never had a message, so that
// many such queues take little memory. Nothing is put into it.
var noMessages shelf

// stock gives a queue that something is put into a shelf of its own.
func (q *queue) stock() {
	if q.shelf == &noMessages {
		q.shelf = &shelf{}
	}
}

func (h *shelf) ready() uint64 {
	n := h.stack.ready()
	if h.lines != nil {
		n += uint64(h.lines.where.Len())
	}
	return n
}

func (h *shelf) messages() uint64 {
	return h.ready() + uint64(h.leased.Len()) + uint64(h.waiting.Len()) + uint64(h.parked.Len())
}

// returnedAt finds a ready message with a record of its own.
func (h *shelf) returnedAt(place uint64) (message, bool) {
	if m, ok := h.returned.Get(place); ok || h.lines == nil {
		return m, ok
	}
	n, ok := h.lines.where.Get(place)
	if !ok {
		return message{}, false
	}
	l, _ := h.lines.all.Get(n)
	return l.returned.Get(place)
}

// eachReturned visits the ready messages with records of their own, line by
// line, each by place.
func (h *shelf) eachReturned(visit func(place uint64, m message) bool) {
	more := true
	watched := func(place uint64, m message) bool {
		more = visit(place, m)
		return more
	}
	h.returned.Scan(watched)
	if h.lines == nil || !more {
		return
	}
	h.lines.all.Scan(func(_ uint32, l *line) bool {
		l.returned.Scan(watched)
		return more
	})
}

// eachLane visits the lanes by the number of their line.
func (h *shelf) eachLane(visit func(n uint32, l *lane) bool) {
	if !visit(0, &h.lane) || h.lines == nil {
		return
	}
	h.lines.all.Scan(func(n uint32, l *line) bool { return visit(n, &l.lane) })
}

// oldestReady is the place and the line of the ready message with the lowest
// place.
func (h *shelf) oldestReady() (place uint64, n uint32, ok bool) {
	place, _, ok = h.front()
	if h.lines != nil {
		if at, line, found := h.lines.where.Min(); found && (!ok || at < place) {
			return at, line, true
		}
	}
	return place, 0, ok
}

// packedAt tells whether the message at a place, which has no record of its own,
// waits.
func (h *shelf) packedAt(place uint64) (ok bool) {
	if _, ok = h.lane.find(place); !ok && h.lines != nil {
		_, ok = h.lines.where.Get(place)
	}
	return ok
}
