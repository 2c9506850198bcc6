package fsm

import (
	"bytes"
	"cmp"
	"crypto/sha256"

	"github.com/tidwall/btree"

	"github.com/ferrymq/ferrymq/fsm/record"
)

// hash is the first half of a SHA-256.
type hash [16]byte

func hashOf(b []byte) (h hash) {
	sum := sha256.Sum256(b)
	copy(h[:], sum[:])
	return h
}

// seen is a message id in a window.
type seen struct {
	id       hash
	content  hash // of headers and body
	index    uint64
	position uint32
	due      int64 // lease clock: when it is forgotten
}

// window holds the message ids of a queue or topic for a while. It is made
// with the first of them.
type window struct {
	ids     *btree.BTreeG[seen] // by id
	armedAt int64               // its timer; 0: none

	due *btree.BTreeG[seen] // by due, id; derived, and never read through a pinned window
}

var noLocks = btree.Options{NoLocks: true}

func newWindow() *window {
	byID := func(a, b seen) bool { return bytes.Compare(a.id[:], b.id[:]) < 0 }
	byDue := func(a, b seen) bool { return cmp.Or(cmp.Compare(a.due, b.due), bytes.Compare(a.id[:], b.id[:])) < 0 }
	return &window{ids: btree.NewBTreeGOptions(byID, noLocks), due: btree.NewBTreeGOptions(byDue, noLocks)}
}

func (w *window) clone() *window {
	if w == nil {
		return nil
	}
	c := *w
	pinned := *w.ids // Copy marks its receiver too
	c.ids = pinned.Copy()
	return &c
}

func (w *window) len() int {
	if w == nil {
		return 0
	}
	return w.ids.Len()
}

func (w *window) get(id hash) (seen, bool) {
	if w == nil {
		return seen{}, false
	}
	return w.ids.Get(seen{id: id})
}

func dedupFault(millis, capacity uint32) string {
	switch {
	case millis == 0 && capacity == 0:
	case millis < MinDedupMillis || millis > MaxDedupMillis:
		return "dedup window is not within 1 s and 7 days"
	case capacity == 0 || capacity > MaxDedupCapacity:
		return "dedup capacity is not within 1 and 4194304"
	}
	return ""
}

// intake is where message ids are judged: a queue or a topic.
type intake struct {
	incarnation      uint64
	millis, capacity uint32
	window           **window
	duplicates       *uint64
}

func (t *target) intake() intake {
	if q := t.queue; q != nil {
		return intake{q.incarnation, q.settings.DedupMillis, q.settings.DedupCapacity, &q.window, &q.duplicates}
	}
	return intake{t.topic.incarnation, t.topic.settings.DedupMillis, t.topic.settings.DedupCapacity, &t.topic.window, &t.topic.duplicates}
}

// identify makes what a window keeps of a message; false if nothing judges it
// by its id.
func (s *State) identify(in *incoming, a *arrival, entry []byte) (x seen, ok bool) {
	if !in.present.Has(record.TagDedupID) {
		return x, false
	}
	i := s.work.targets[in.to].intake()
	if i.millis == 0 {
		return x, false
	}
	end := in.offset + in.length
	return seen{id: hashOf(a.info.DedupID), content: hashOf(entry[end-int(in.size) : end]), index: a.index,
		position: a.position, due: s.clock.LeaseMillis + int64(i.millis)}, true
}

// judgeID judges a message by its id; p has what is planned besides.
func (t *target) judgeID(p *plan, x *seen) Verdict {
	i := t.intake()
	old, ok := (*i.window).get(x.id)
	n := (*i.window).len()
	if planned := p.idsOf(i.incarnation); !ok && planned != nil {
		old, ok = planned[x.id]
		n += len(planned)
	}
	switch {
	case ok && old.content == x.content:
		return Verdict{Code: Duplicate, FirstIndex: old.index, FirstPosition: old.position}
	case ok:
		return Verdict{Code: Conflict}
	case n >= int(i.capacity):
		return Verdict{Code: Busy, Cause: CauseDedup, RetryAfterMillis: RetryFullMillis}
	}
	return Verdict{}
}

// remember enters the id of a message that was stored.
func (s *State) remember(t *target, x *seen) {
	i := t.intake()
	w := *i.window
	if w == nil {
		w = newWindow()
		*i.window = w
	}
	w.ids.Set(*x)
	w.due.Set(*x)
	if w.armedAt == 0 || x.due < w.armedAt {
		s.timers.move(timerDedup, i.incarnation, &w.armedAt, x.due)
	}
}

// forgetIDs removes the ids that are due from the window of a queue or topic. It
// returns false when this entry has done enough. The timer follows what is left:
// a replica that comes from a snapshot sets it so.
func (s *State) forgetIDs(incarnation uint64) bool {
	var w **window
	if q := s.queue(incarnation); q != nil {
		w = &q.window
	} else {
		w = &s.topic(incarnation).window
	}
	x, left := (*w).due.Min()
	for ; left && x.due <= s.clock.LeaseMillis; x, left = (*w).due.Min() {
		if !s.affords(1) {
			s.timers.move(timerDedup, incarnation, &(*w).armedAt, x.due)
			return false
		}
		(*w).due.Delete(x)
		(*w).ids.Delete(x)
	}
	s.timers.move(timerDedup, incarnation, &(*w).armedAt, x.due)
	if !left {
		*w = nil
	}
	return true
}
