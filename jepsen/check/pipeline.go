package check

import "github.com/ferrymq/ferrymq/jepsen/history"

// Pipeline judges work that is done in one step: the message of one queue is
// acked and its result, under the same key, published to another. However
// often somebody began, each message has one result, and only if it was acked.
// The acks in the history are those steps.
type Pipeline struct {
	Workload string
	From, To string

	Floors PipelineFloors
}

// PipelineFloors is how much has to have been seen.
type PipelineFloors struct {
	Results int64
	Refused int64 // steps that did nothing
}

func (p Pipeline) Name() string { return "pipeline" }

// Check is linear in the operations but for sorting.
func (p Pipeline) Check(run *history.Run) Verdict {
	v := NewVerdict(p.Name(), p.Workload)
	from, to := newLedger(run, p.Workload, []string{p.From}), newLedger(run, p.Workload, []string{p.To})
	results, refused := int64(0), int64(0)
	for _, m := range to.messages {
		if !m.delivered() {
			continue
		}
		results++
		source := from.byKey[m.key]
		if source == nil || source.publish == nil {
			v.Add(KindUnexpected, first(m).Call, "the result of nothing: %s", first(m))
			continue
		}
		p.result(v, source, m)
	}
	for _, m := range from.messages {
		r := to.byKey[m.key]
		there := r != nil && r.delivered()
		for _, s := range m.source.settles {
			switch {
			case s.Kind != history.Ack:
			case s.Outcome == history.Fail:
				refused++
			case s.Outcome == history.OK && run.Drained != 0 && !there:
				v.Add(KindHalf, s.Call, "done, and there is no result: %s", s)
			}
		}
		if !there && m.publish != nil && m.publish.Outcome == history.OK && run.Drained != 0 {
			v.Add(KindLost, m.publish.Call, "no result of %s", m.publish)
		}
	}
	v.Saw("results", results, p.Floors.Results)
	v.Saw("refused steps", refused, p.Floors.Refused)
	ending(v, run, p.To)
	return v.Done()
}

// result judges that a result came from one step of its message.
func (p Pipeline) result(v *Verdict, source, m *message) {
	d := first(m)
	if ids := idsOf(m.source.deliveries, m.dead.deliveries); len(ids) > 1 {
		v.Add(KindDoubled, d.Call, "%s has %d results: %v", m.key, len(ids), ids)
	}
	if source.publish.Outcome == history.Fail {
		v.Add(KindGhost, d.Call, "%s was refused (%s), and then: %s", m.key, source.publish.Code, d)
	}
	began, done := int64(forever), false
	for _, s := range source.source.settles {
		if s.Kind == history.Ack && maybe(s) {
			began, done = min(began, s.Call), true
		}
	}
	switch {
	case !done:
		v.Add(KindHalf, d.Call, "a result, and no step was done: %s", d)
	case d.Call < began:
		v.Add(KindEarly, d.Call, "done at %.3fs at the earliest: %s", float64(began)/1e9, d)
	}
	if !m.finished() {
		v.Add(KindUnsettled, d.Call, "%s is gone, and nobody settled it: %s", m.key, d)
	}
}
