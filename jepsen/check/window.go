package check

import "github.com/ferrymq/ferrymq/jepsen/history"

// Window judges message ids: one that is published again, by whichever
// session, stores nothing, if its body is the same, and is answered with the
// first one's id; another body is refused. The window is longer than the run.
type Window struct {
	Workload string
	Queue    string

	Floors WindowFloors
}

// WindowFloors is how much has to have been seen.
type WindowFloors struct {
	Confirmed  int64 // messages
	Duplicates int64
	Conflicts  int64
}

func (w Window) Name() string { return "window" }

// Check is linear in the operations but for sorting.
func (w Window) Check(run *history.Run) Verdict {
	v := NewVerdict(w.Name(), w.Workload)
	l := newLedger(run, w.Workload, []string{w.Queue})
	again := map[history.Key][]*history.Op{}
	for _, o := range l.ops {
		if o.Kind == Republish {
			again[o.Key] = append(again[o.Key], o)
		}
	}
	if run.Drained == 0 {
		v.Add(KindUndrained, run.Stopped, "the run ended before the queue was empty")
	}
	x := &repeats{Window: w, run: run, v: v}
	for _, m := range l.messages {
		x.one(m, again[m.key])
	}
	ending(v, run, w.Queue)
	v.Saw("confirmed", x.confirmed, w.Floors.Confirmed)
	v.Saw("duplicates", x.duplicates, w.Floors.Duplicates)
	v.Saw("conflicts", x.conflicts, w.Floors.Conflicts)
	return v.Done()
}

// repeats is one check under way.
type repeats struct {
	Window
	run *history.Run
	v   *Verdict

	confirmed, duplicates, conflicts int64
}

// one judges a message with all that was published under its id.
func (x *repeats) one(m *message, again []*history.Op) {
	p, ids := m.publish, idsOf(m.source.deliveries, m.dead.deliveries)
	if p == nil {
		if m.delivered() {
			x.v.Add(KindUnexpected, first(m).Call, "never published: %s", first(m))
		}
		return
	}
	if len(ids) > 1 {
		x.v.Add(KindDoubled, first(m).Call, "%s has ids %v", m.key, ids)
	}
	stored, refused := p.Outcome == history.OK, p.Outcome == history.Fail
	for _, o := range again {
		switch {
		case o.Value == 0 && o.Outcome == history.OK:
			stored, refused = true, false
		case o.Value == 0 && o.Outcome != history.Fail:
			refused = false
		}
		x.answer(p, o, ids)
	}
	if stored {
		x.confirmed++
	}
	switch {
	case len(ids) > 0 && refused:
		x.v.Add(KindGhost, first(m).Call, "%s was refused (%s), and then: %s", m.key, p.Code, first(m))
	case len(ids) == 0 && stored && x.run.Drained != 0:
		x.v.Add(KindLost, p.Call, "%s", p)
	case len(ids) > 0 && !m.finished() && x.run.Drained != 0:
		x.v.Add(KindUnsettled, first(m).Call, "%s is gone, and nobody settled it: %s", m.key, first(m))
	}
}

// answer judges what a repeat was answered. Another body is only ever
// published when the first one is confirmed.
func (x *repeats) answer(p, o *history.Op, ids []history.Witness) {
	known := p.Outcome == history.OK && p.Return < o.Call
	switch {
	case o.Outcome == history.Pending:
		x.v.Add(KindUnanswered, o.Call, "%s", o)
	case o.Value != 0 && o.Outcome == history.OK:
		x.v.Add(KindConflict, o.Call, "another body was accepted: %s", o)
	case o.Value != 0 && o.Code == "conflict":
		x.conflicts++
	case o.Code == "conflict":
		x.v.Add(KindOutcome, o.Call, "the body is the same: %s", o)
	case o.Code == CodeDuplicate:
		x.duplicates++
		if p.Outcome == history.OK && p.At != o.At || len(ids) > 0 && ids[0] != o.At {
			x.v.Add(KindIdentity, o.Call, "%s and %v: %s", p.At, ids, o)
		}
	case o.Outcome == history.OK && known:
		x.v.Add(KindDoubled, o.Call, "confirmed at %.3fs, and stored again: %s", float64(p.Return)/1e9, o)
	}
}
