package check

import (
	"maps"
	"slices"

	"github.com/ferrymq/ferrymq/jepsen/history"
)

// FIFO is a black-box monitor of first deliveries: it looks at calls, returns
// and keys alone, and believes no id, no token and no place in a log. Keys are
// unique, so that two messages show any violation: one was published before
// the other, and delivered after it, or never.
//
// Queues must have one consumer at a time, with one handler, and the next one
// begins when the one before has ended: with several, handlers start in
// another order than messages were dispatched in. A message that comes a
// second time has lost its turn, and is not judged.
type FIFO struct {
	Workload string
	Queues   []string // none: all that the workload names

	Floor int64 // first deliveries
}

func (f FIFO) Name() string { return "fifo" }

// turn is a message with its publish and, from 1, its place among the first
// deliveries; 0 if it has none.
type turn struct {
	publish *history.Op
	place   int
	again   bool // delivered, be it only a second time
}

// Check takes n log n.
func (f FIFO) Check(run *history.Run) Verdict {
	v := NewVerdict(f.Name(), f.Workload)
	queues := map[string]*line{}
	swept := map[string]bool{}
	for i, o := range pick(run, f.Workload, f.Queues) {
		if queues[o.Queue] == nil {
			queues[o.Queue] = &line{turns: map[history.Key]*turn{}}
		}
		q := queues[o.Queue]
		switch {
		case o.Kind == history.Publish:
			q.turn(o.Key).publish = o
		case o.Kind == history.Deliver && !isDead(o):
			q.deliver(v, o, i+1)
		case o.Kind == history.Purge || o.Kind == history.Delete:
			swept[o.Queue] = true
		}
	}
	firsts := int64(0)
	for _, name := range slices.Sorted(maps.Keys(queues)) {
		firsts += queues[name].order(v)
		if run.Drained != 0 && !swept[name] {
			queues[name].skipped(v)
		}
	}
	v.Saw("first deliveries", firsts, f.Floor)
	return v.Done()
}

// line is a queue as it is seen from outside.
type line struct {
	turns map[history.Key]*turn
	list  []*turn // in the order in which they are first mentioned
}

func (q *line) turn(k history.Key) *turn {
	t := q.turns[k]
	if t == nil {
		t = &turn{}
		q.turns[k] = t
		q.list = append(q.list, t)
	}
	return t
}

// deliver takes a delivery at its place in the history: one consumer's
// handler writes its own down one after the other.
func (q *line) deliver(v *Verdict, d *history.Op, place int) {
	t := q.turn(d.Key)
	t.again = true
	switch {
	case d.Attempt > 1:
		v.Notes["redelivered"]++
	case t.place != 0:
		v.Add(KindRepeated, d.Call, "a first delivery for the second time: %s", d)
	default:
		t.place = place
	}
	switch {
	case t.publish == nil:
		v.Add(KindUnexpected, d.Call, "not published before: %s", d)
	case d.Call < t.publish.Call:
		v.Add(KindEarly, d.Call, "published at %.3fs: %s", float64(t.publish.Call)/1e9, d)
	}
}

// order walks from the last delivery to the first: nothing that was published
// may have been called after something that comes later had returned.
func (q *line) order(v *Verdict) int64 {
	var delivered []*turn
	for _, t := range q.list {
		if t.place != 0 && t.publish != nil {
			delivered = append(delivered, t)
		}
	}
	slices.SortFunc(delivered, func(a, b *turn) int { return b.place - a.place })
	var earliest *turn // by its return, of those delivered later
	for _, t := range delivered {
		if earliest != nil && until(earliest.publish) < t.publish.Call {
			v.Add(KindOrder, t.publish.Call, "delivered before %s, which had returned at %.3fs: %s",
				earliest.publish.Key, float64(earliest.publish.Return)/1e9, t.publish)
		}
		if earliest == nil || until(t.publish) < until(earliest.publish) {
			earliest = t
		}
	}
	return int64(len(delivered))
}

// skipped finds what was passed over for good.
func (q *line) skipped(v *Verdict) {
	var last *history.Op
	for _, t := range q.list {
		if t.place != 0 && t.publish != nil && (last == nil || t.publish.Call > last.Call) {
			last = t.publish
		}
	}
	for _, t := range q.list {
		if last != nil && !t.again && t.publish.Outcome == history.OK && t.publish.Return < last.Call {
			v.Add(KindSkipped, t.publish.Call, "never delivered, and %s was: %s", last.Key, t.publish)
		}
	}
}
