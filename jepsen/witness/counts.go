package witness

import (
	"cmp"
	"math"
	"slices"

	"github.com/ferrymq/ferrymq/jepsen/history"
)

// reads holds every read of a queue's counts against the states that the
// queue had while it was under way: after all that was seen before its call,
// and before all that was called after its return.
func (j *judge) reads() {
	var reads []int
	for i := range j.run.Ops {
		o := &j.run.Ops[i]
		if o.Kind == history.Read && (o.Outcome == history.OK || o.Code == codeNotFound) {
			reads = append(reads, i)
		}
	}
	if len(reads) == 0 || j.holed() {
		return
	}
	from, to := j.windows(reads)
	for n, i := range reads {
		j.readsSeen++
		if o := &j.run.Ops[i]; !j.had(o, from[n], to[n]) {
			j.v.Add(KindRead, o.Return, "%s %+v: the queue was never so from entry %d to %d", o, value(o.Counts), from[n], to[n])
		}
	}
}

// value is what a pointer points to, if to anything.
func value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// windows are the indexes between which each read took place.
func (j *judge) windows(reads []int) (from, to []uint64) {
	from, to = make([]uint64, len(reads)), make([]uint64, len(reads))
	order := make([]int, len(reads))
	for n := range order {
		order[n] = n
	}
	ops := j.run.Ops
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(ops[reads[a]].Call, ops[reads[b]].Call) })
	seen, furthest := j.moments(), uint64(0)
	for _, n := range order {
		for len(seen) > 0 && seen[0].time < ops[reads[n]].Call {
			furthest = max(furthest, seen[0].at.Index)
			seen = seen[1:]
		}
		from[n] = furthest
	}
	calls := slices.Clone(j.placed)
	slices.SortFunc(calls, func(a, b int) int { return cmp.Compare(ops[b].Call, ops[a].Call) })
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(ops[reads[b]].Return, ops[reads[a]].Return) })
	nearest := uint64(math.MaxUint64)
	for _, n := range order {
		for len(calls) > 0 && ops[calls[0]].Call > ops[reads[n]].Return {
			nearest = min(nearest, ops[calls[0]].At.Index)
			calls = calls[1:]
		}
		to[n] = min(nearest, j.end)
	}
	return from, to
}

// had tells whether the queue had these counts after an entry from one to another.
func (j *judge) had(o *history.Op, from, to uint64) bool {
	states := j.m.watch[o.Queue]
	// The state at from is the last one that is not younger.
	n, _ := slices.BinarySearchFunc(states, from+1, func(c counted, i uint64) int { return cmp.Compare(c.index, i) })
	if n == 0 {
		if o.Counts == nil {
			return true // it was not made yet
		}
	} else {
		n--
	}
	for _, c := range states[n:] {
		if c.index > to {
			return false
		}
		if o.Counts == nil && c.queue == nil || o.Counts != nil && c.queue != nil && *o.Counts == *c.queue {
			return true
		}
	}
	return false
}

// replicas compares the counts that each replica had in the end.
func (j *judge) replicas() {
	for _, r := range j.run.Replicas {
		want := j.counts[r.Applied]
		if want == nil {
			continue // beyond a hole
		}
		missing := len(want)
		for _, q := range r.Queues {
			j.countsSeen++
			w, known := want[q.Name]
			if known {
				missing--
			}
			if q != w {
				j.v.Add(KindState, j.run.Ended, "node %s at %d has %+v, the log makes %+v", r.Node, r.Applied, q, w)
			}
		}
		if missing > 0 {
			j.v.Add(KindState, j.run.Ended, "node %s at %d lacks %d of %d queues", r.Node, r.Applied, missing, len(want))
		}
	}
}
