package report

import (
	"slices"
	"time"

	"github.com/ferrymq/ferrymq/jepsen/history"
)

// tally counts what became of the operations of one workload, or of all.
type tally struct {
	Name       string
	Published  int64
	Confirmed  int64
	Delivered  int64
	Again      int64 // deliveries flagged as repeats
	Settled    int64
	Failed     int64 // operations of every kind
	Unknown    int64 // as well
	Unanswered int64
	LeasesLost int64
}

func (t *tally) add(o *history.Op) {
	switch o.Outcome {
	case history.Pending:
		t.Unanswered++
	case history.Fail:
		t.Failed++
	case history.Unknown:
		t.Unknown++
	}
	ok := o.Outcome == history.OK
	switch {
	case o.Kind == history.Publish:
		t.Published++
		if ok {
			t.Confirmed++
		}
	case o.Kind == history.Deliver:
		t.Delivered++
		if o.Redelivered {
			t.Again++
		}
	case o.Kind == history.Lost:
		t.LeasesLost++
	case ok && (o.Kind == history.Ack || o.Kind == history.Nack || o.Kind == history.Reject):
		t.Settled++
	}
}

// talliesOf has one for each workload, and before them all together.
func talliesOf(ops []history.Op, n *names) (all tally, each []tally) {
	each = make([]tally, len(n.list))
	for i := range each {
		each[i].Name = n.list[i]
	}
	for i := range ops {
		all.add(&ops[i])
		each[n.of(ops[i].Workload)].add(&ops[i])
	}
	return all, each
}

// gapOf is the longest time without a confirm between the first and the last
// one, and when it began.
func gapOf(ops []history.Op) (gap time.Duration, from int64) {
	var confirms []int64
	for i := range ops {
		if ops[i].Kind == history.Publish && ops[i].Outcome == history.OK {
			confirms = append(confirms, min(max(ops[i].Return, 0), timeMax))
		}
	}
	slices.Sort(confirms)
	for i := 1; i < len(confirms); i++ {
		if d := time.Duration(confirms[i] - confirms[i-1]); d > gap {
			gap, from = d, confirms[i-1]
		}
	}
	return gap, from
}

// termsOf are the lowest and the highest term that a node told of.
func termsOf(probes []history.Probe) (first, last uint64) {
	for _, p := range probes {
		if p.Term == 0 {
			continue
		}
		if first == 0 || p.Term < first {
			first = p.Term
		}
		last = max(last, p.Term)
	}
	return first, last
}
