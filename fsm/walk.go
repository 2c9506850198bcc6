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

// readyWalk reads what is ready of all lines by place. A line is looked into
// when its front is reached.
type readyWalk struct {
	shelf  *shelf
	begun  btree.Map[uint64, *stackWalk] // by their next place
	fronts btree.MapIter[uint64, uint32]
	more   bool
}

func (h *shelf) walkReady() *readyWalk {
	r := &readyWalk{shelf: h}
	r.begin(&h.stack)
	if h.lines != nil {
		r.fronts = h.lines.fronts.Iter()
		r.more = r.fronts.First()
	}
	return r
}

func (r *readyWalk) begin(k *stack) { r.keep(k.walk()) }

func (r *readyWalk) keep(w *stackWalk) {
	if place, _, ok := w.front(); ok {
		r.begun.Set(place, w)
	}
}

// next is the ready message with the lowest place of those not read.
func (r *readyWalk) next() (place uint64, size uint32, ok bool) {
	for {
		at, w, found := r.begun.Min()
		if r.more && (!found || r.fronts.Key() < at) {
			r.begin(r.shelf.stackOf(r.fronts.Value()))
			r.more = r.fronts.Next()
			continue
		}
		if !found {
			return 0, 0, false
		}
		place, size, _ = w.front()
		r.begun.Delete(at)
		w.next()
		r.keep(w)
		return place, size, true
	}
}
