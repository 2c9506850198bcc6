package fsm

import (
	"github.com/tidwall/btree"

	"github.com/ferrymq/ferrymq/fsm/pages"
)

// stackWalk reads what is ready of a line from its front.
type stackWalk struct {
	lane     *lane
	sealed   btree.MapIter[uint64, *chunk]
	chunk    *chunk // nil: the lane is read to its end
	at       cursor
	returned *pages.Iter[message]
	packed   packed // at its place: the next one of the lane
	place    uint64 // 0: none
	more     bool   // there is a returned one
}

func (k *stack) walk() *stackWalk {
	w := &stackWalk{lane: &k.lane, sealed: k.lane.sealed.Iter(), returned: k.returned.Iter()}
	w.chunk, w.at = k.lane.head, k.lane.headAt
	if w.chunk == nil {
		w.chunk, w.at = &k.lane.tail, k.lane.tailAt
	}
	w.more = w.returned.First()
	w.step()
	return w
}

// step goes to the next message of the lane.
func (w *stackWalk) step() {
	for w.chunk != nil && w.at.n == w.chunk.count {
		switch {
		case w.chunk == &w.lane.tail:
			w.chunk, w.place = nil, 0
			return
		case w.chunk == w.lane.head && w.sealed.First(), w.chunk != w.lane.head && w.sealed.Next():
			w.chunk, w.at = w.sealed.Value(), cursor{}
		default:
			w.chunk, w.at = &w.lane.tail, w.lane.tailAt
		}
	}
	if w.chunk != nil {
		w.place, w.packed, w.at = w.chunk.next(w.at)
	}
}

// front is the next message, which next takes.
func (w *stackWalk) front() (place uint64, size uint32, ok bool) {
	if w.more && (w.place == 0 || w.returned.Key() < w.place) {
		return w.returned.Key(), w.returned.Value().size, true
	}
	return w.place, w.packed.size, w.place != 0
}

func (w *stackWalk) next() {
	if w.more && (w.place == 0 || w.returned.Key() < w.place) {
		w.more = w.returned.Next()
		return
	}
	w.step()
}

// readyWalk reads what is ready of all lines by place.
type readyWalk struct {
	plain *stackWalk
	lines *linesWalk
}

func (h *shelf) walkReady() *readyWalk { return &readyWalk{h.stack.walk(), h.walkLines(0)} }

// next is the ready message with the lowest place of those not read.
func (r *readyWalk) next() (place uint64, size uint32, ok bool) {
	place, size, ok = r.plain.front()
	if at, found := r.lines.front(); found && (!ok || at < place) {
		m := r.lines.next()
		return at, m.size, true
	}
	if ok {
		r.plain.next()
	}
	return place, size, ok
}
