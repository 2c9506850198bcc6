package witness

import (
	"cmp"
	"math"
	"slices"

	"github.com/ferrymq/ferrymq/jepsen/history"
)

// deliveries compares what consumers were given with what the log gives out.
func (j *judge) deliveries() {
	given := map[uint64]uint32{} // the log's consumer to the history's
	once := map[taking]bool{}
	for i := range j.run.Ops {
		o := &j.run.Ops[i]
		if o.Kind != history.Deliver {
			continue
		}
		j.delivered++
		if _, ok := j.accepted[o.Key]; !ok {
			j.unaccepted(o)
			continue
		}
		if o.Token == 0 {
			t := taking{o.Queue, history.Witness{Index: o.ID.Index, Position: o.ID.Position}}
			if _, ok := j.m.taken[t]; !ok || once[t] {
				j.wrong(o, "the log does not give it out so often")
			}
			once[t] = true
			continue
		}
		if o.Token >= uint64(len(j.m.grants)) {
			j.wrong(o, "the log gives out no such token")
			continue
		}
		g := &j.m.grants[o.Token]
		switch {
		case g.id.Index != o.ID.Index || g.id.Position != o.ID.Position || g.key != o.Key || g.queue.name != o.Queue:
			j.wrong(o, "the log has the token for message "+g.key.String()+" of "+g.queue.name)
		case int(g.attempt) != o.Attempt || int(g.failures) != o.Failures || o.Redelivered != (g.attempt > 1):
			j.v.Add(KindDelivery, o.Call, "%s, failures %d, redelivered %t: the log has attempt %d, failures %d",
				o, o.Failures, o.Redelivered, g.attempt, g.failures)
		case g.dead != o.Dead:
			j.wrong(o, "the log has it dead for "+cmp.Or(g.dead, "nothing"))
		}
		if first, ok := given[g.consumer]; ok && first != o.Consumer {
			j.v.Add(KindConsumer, o.Call, "%s: to consumer %d, and consumer %d had deliveries of the same", o, o.Consumer, first)
		}
		given[g.consumer] = o.Consumer
	}
}

// wrong reports a delivery, if the log is known as far.
func (j *judge) wrong(o *history.Op, why string) {
	if j.holed() {
		j.v.Notes["deliveries beyond a hole"]++
		return
	}
	j.v.Add(KindDelivery, o.Call, "%s, id %s: %s", o, o.ID, why)
}

// unaccepted is a delivery of a message that the log does not have.
func (j *judge) unaccepted(o *history.Op) {
	if j.holed() {
		j.v.Notes["deliveries beyond a hole"]++
		return
	}
	i, known := j.published[o.Key]
	switch {
	case !known:
		j.v.Add(KindUnexpected, o.Call, "%s: nobody published it", o)
	case j.run.Ops[i].Outcome == history.Fail:
		j.v.Add(KindGhost, o.Call, "%s: its publish certainly failed", o)
	case j.run.Ops[i].Outcome == history.OK:
		j.v.Add(KindDelivery, o.Call, "%s: the log does not accept it", o)
	default:
		j.v.Add(KindPhantom, o.Call, "%s: its publish is not in the log", o)
	}
}

// unknowns resolves what clients do not know by the log. What is in it has
// been compared with everything else; what is not had no effect. And of what
// certainly failed nothing may be in it.
func (j *judge) unknowns() {
	if j.holed() {
		return
	}
	settles := map[uint64]int{} // settles but extensions, by token
	for i := range j.run.Ops {
		if o := &j.run.Ops[i]; settling(o.Kind) {
			settles[o.Token]++
		}
	}
	for i := range j.run.Ops {
		o := &j.run.Ops[i]
		switch {
		case o.Outcome == history.OK || o.At != (history.Witness{}):
		case o.Kind == history.Publish && o.Outcome != history.Fail:
			_, applied := j.accepted[o.Key]
			j.resolved("publishes", applied)
		case settling(o.Kind) && o.Token > 0 && o.Token < uint64(len(j.m.grants)):
			applied := j.m.grants[o.Token].by == string(o.Kind)
			if o.Outcome != history.Fail {
				j.resolved("settles", applied)
			} else if applied && settles[o.Token] == 1 {
				j.v.Add(KindGhost, o.Return, "%s: the log has it at entry %d", o, j.m.grants[o.Token].ended)
			}
		}
	}
}

func settling(k history.Kind) bool {
	return k == history.Ack || k == history.Nack || k == history.Reject
}

func (j *judge) resolved(what string, applied bool) {
	if applied {
		j.v.Notes["unknown "+what+" applied"]++
	} else {
		j.v.Notes["unknown "+what+" without effect"]++
	}
}

// moment is an operation that has returned, or a delivery that was seen, and
// where in the log it must be by then.
type moment struct {
	time int64
	at   history.Witness
	op   int
}

// moments are all places that were known to somebody, in the order of time.
// Who was handed a message has seen the entry that gave it.
func (j *judge) moments() []moment {
	all := make([]moment, 0, len(j.placed))
	for _, i := range j.placed {
		if o := &j.run.Ops[i]; o.Return != 0 {
			all = append(all, moment{o.Return, o.At, i})
		}
	}
	for i := range j.run.Ops {
		o := &j.run.Ops[i]
		if o.Kind != history.Deliver {
			continue
		}
		index := uint64(0)
		if o.Token == 0 {
			index = j.m.taken[taking{o.Queue, history.Witness{Index: o.ID.Index, Position: o.ID.Position}}]
		} else if o.Token < uint64(len(j.m.grants)) {
			index = j.m.grants[o.Token].index
		}
		if index != 0 {
			all = append(all, moment{o.Call, history.Witness{Group: o.ID.Group, Index: index, Position: math.MaxUint32}, i})
		}
	}
	slices.SortFunc(all, func(a, b moment) int { return cmp.Compare(a.time, b.time) })
	return all
}

// realTime: what was called after something was seen stands behind it in the
// log. The place that reaches furthest is all that has to be remembered.
func (j *judge) realTime() {
	calls := slices.Clone(j.placed)
	slices.SortFunc(calls, func(a, b int) int { return cmp.Compare(j.run.Ops[a].Call, j.run.Ops[b].Call) })
	seen := j.moments()
	furthest := map[uint32]moment{} // by group
	for _, i := range calls {
		o := &j.run.Ops[i]
		for len(seen) > 0 && seen[0].time < o.Call {
			if far, ok := furthest[seen[0].at.Group]; !ok || far.at.Before(seen[0].at) {
				furthest[seen[0].at.Group] = seen[0]
			}
			seen = seen[1:]
		}
		if far, ok := furthest[o.At.Group]; ok && !far.at.Before(o.At) {
			j.v.Add(KindRealTime, o.Call, "%s: it was called after this was seen: %s, at %s", o, &j.run.Ops[far.op], far.at)
		}
	}
}
