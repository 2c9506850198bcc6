package check

import (
	"time"

	"github.com/ferrymq/ferrymq/jepsen/history"
)

// AtMostOnce judges consumers without acks: a message is delivered once or,
// when a fault or the end of a consumer takes what was on its way, not at all.
// How many may be missing is bounded.
type AtMostOnce struct {
	Workload string
	Queues   []string // none: all that the workload names

	// LossMax is how many confirmed messages a run may lose; nil: none.
	LossMax func(*history.Run) int64

	Floors AtMostOnceFloors
}

// AtMostOnceFloors is how many messages have to have been seen.
type AtMostOnceFloors struct{ Confirmed, Delivered int64 }

// LossByCredit allows each consumer of a workload to lose its credit when it
// ends, and for each second in which a fault may break its connection.
func LossByCredit(workload string, credit int64) func(*history.Run) int64 {
	return func(run *history.Run) int64 {
		consumers := map[uint32]bool{}
		losses := int64(0)
		for i := range run.Ops {
			o := &run.Ops[i]
			switch {
			case o.Workload != workload:
			case o.Kind == history.Deliver:
				consumers[o.Consumer] = true
			case o.Kind == history.Gone:
				losses++
			}
		}
		for _, f := range run.Faults {
			losses += (1 + (f.To-f.From)/int64(time.Second)) * int64(len(consumers))
		}
		return losses * credit
	}
}

func (a AtMostOnce) Name() string { return "at-most-once" }

// Check is linear in the operations.
func (a AtMostOnce) Check(run *history.Run) Verdict {
	v := NewVerdict(a.Name(), a.Workload)
	l := newLedger(run, a.Workload, a.Queues)
	for _, o := range l.ops {
		if o.Outcome == history.Pending || o.Return == 0 {
			v.Add(KindUnanswered, o.Call, "%s", o)
		}
	}
	if run.Drained == 0 {
		v.Add(KindUndrained, run.Stopped, "the run ended before the queues were empty")
	}
	var missing []*message
	confirmed, delivered := int64(0), int64(0)
	for _, m := range l.messages {
		if m.publish != nil && m.publish.Outcome == history.OK {
			confirmed++
			if !m.delivered() {
				missing = append(missing, m)
			}
		}
		if m.delivered() {
			delivered++
			a.once(v, m)
		}
	}
	a.loss(v, run, missing)
	v.Saw("confirmed", confirmed, a.Floors.Confirmed)
	v.Saw("delivered", delivered, a.Floors.Delivered)
	return v.Done()
}

func (a AtMostOnce) once(v *Verdict, m *message) {
	d := first(m)
	for _, again := range append(m.source.deliveries, m.dead.deliveries...) {
		switch {
		case again != d:
			v.Add(KindDuplicated, again.Call, "delivered at %.3fs: %s", float64(d.Call)/1e9, again)
		case again.Attempt > 1 || again.Redelivered:
			v.Add(KindDuplicated, again.Call, "attempt %d of a message without acks: %s", again.Attempt, again)
		}
	}
	switch p := m.publish; {
	case p == nil:
		v.Add(KindUnexpected, d.Call, "never published: %s", d)
	case p.Outcome == history.Fail:
		v.Add(KindGhost, d.Call, "%s was refused (%s), and then: %s", m.key, p.Code, d)
	case d.Call < p.Call:
		v.Add(KindEarly, d.Call, "published at %.3fs: %s", float64(p.Call)/1e9, d)
	case p.Outcome == history.Unknown:
		v.Notes["recovered"]++
	}
	if d.Token != 0 {
		v.Add(KindToken, d.Call, "a lease at a consumer without acks: %s", d)
	}
}

// loss: beyond what may be missing, a message is lost.
func (a AtMostOnce) loss(v *Verdict, run *history.Run, missing []*message) {
	most := int64(0)
	if a.LossMax != nil {
		most = max(0, a.LossMax(run))
	}
	v.Notes["missing"], v.Notes["missing at most"] = int64(len(missing)), most
	for _, m := range missing[min(most, int64(len(missing))):] {
		v.Add(KindLost, m.publish.Call, "%d are missing, and at most %d may be: %s", len(missing), most, m.publish)
	}
}
