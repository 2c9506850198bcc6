package fsm

import "github.com/ferrymq/ferrymq/fsm/pages"

// linesWalk reads what is ready of the lines besides the plain one by place. It
// looks into a line when it comes to a message of it, so that a queue may have
// any number of lines.
type linesWalk struct {
	lines  *lines // nil: there are none
	where  *pages.Iter[uint32]
	more   bool
	begun  map[uint32]laneWalk // by line; looked up, never walked
	passed int                 // packed messages, to get to others
}

// walkLines begins at the first message behind a place.
func (h *shelf) walkLines(after uint64) *linesWalk {
	if h.lines == nil {
		return &linesWalk{}
	}
	w := &linesWalk{lines: h.lines, where: h.lines.where.Iter(), begun: map[uint32]laneWalk{}}
	w.more = w.where.Seek(after + 1)
	return w
}

// front is the place of the next message, which next takes.
func (w *linesWalk) front() (place uint64, ok bool) {
	if !w.more {
		return 0, false
	}
	return w.where.Key(), true
}

// next is the message that front told of.
func (w *linesWalk) next() message {
	place, n := w.where.Key(), w.where.Value()
	w.more = w.where.Next()
	l, _ := w.lines.all.Get(n)
	if m, ok := l.returned.Get(place); ok {
		return m
	}
	from, begun := w.begun[n]
	if !begun {
		from = l.lane.walk(place)
		w.passed += from.passed
	}
	_, p, _ := from.next()
	w.begun[n] = from
	m := p.message()
	m.line = n
	return m
}

// laneWalk reads packed messages by place.
type laneWalk struct {
	lane   *lane
	chunk  *chunk
	at     cursor
	passed int // to get to the first one
}

// walk begins at the first message that is not below a place. It passes those
// before it in the same chunk.
func (l *lane) walk(place uint64) laneWalk {
	w := laneWalk{lane: l}
	w.chunk, w.at = l.seek(place)
	for w.at.n < w.chunk.count {
		at, _, behind := w.chunk.next(w.at)
		if at >= place {
			break
		}
		w.at = behind
		w.passed++
	}
	return w
}

func (w *laneWalk) next() (place uint64, m packed, ok bool) {
	for w.at.n == w.chunk.count {
		if w.chunk == &w.lane.tail {
			return 0, m, false
		}
		w.chunk, w.at = w.lane.behind(w.chunk)
	}
	place, m, w.at = w.chunk.next(w.at)
	return place, m, true
}

// behind is the chunk that follows one that is not the tail.
func (l *lane) behind(c *chunk) (next *chunk, at cursor) {
	next, at = &l.tail, l.tailAt
	l.sealed.Ascend(c.first+1, func(_ uint64, sealed *chunk) bool {
		next, at = sealed, cursor{}
		return false
	})
	return next, at
}
