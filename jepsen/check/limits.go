package check

import (
	"slices"

	"github.com/ferrymq/ferrymq/jepsen/history"
)

// Limits judges that nobody ever sees more messages in a queue than it may
// have, and that queues were full when somebody looked.
type Limits struct {
	Workload string
	Queues   []string
	Max      uint64 // messages in each

	Floors LimitsFloors
}

// LimitsFloors is how much has to have been seen.
type LimitsFloors struct {
	Reads   int64
	Full    int64 // reads of a queue that had as many as it may
	Refused int64 // publishes
	Dropped int64 // publishes
}

func (l Limits) Name() string { return "limits" }

// Check is linear in the operations.
func (l Limits) Check(run *history.Run) Verdict {
	v := NewVerdict(l.Name(), l.Workload)
	var reads, full, refused, dropped int64
	look := func(at int64, q history.Queue) {
		switch left := q.Left(); {
		case left > l.Max:
			v.Add(KindOverfull, at, "%s has %d messages, more than %d: %+v", q.Name, left, l.Max, q)
		case left == l.Max:
			full++
		}
	}
	for _, o := range pick(run, l.Workload, l.Queues) {
		switch {
		case o.Kind == history.Read && o.Counts != nil && slices.Contains(l.Queues, o.Queue):
			reads++
			look(o.Call, *o.Counts)
		case o.Kind == history.Publish && o.Code == "busy":
			refused++
		case o.Kind == history.Publish && o.Code == CodeDropped:
			dropped++
		}
	}
	for _, name := range l.Queues {
		if q, ok := ending(v, run, name); ok {
			look(run.Ended, q)
		}
	}
	v.Saw("reads", reads, l.Floors.Reads)
	v.Saw("full", full, l.Floors.Full)
	v.Saw("refused", refused, l.Floors.Refused)
	v.Saw("dropped", dropped, l.Floors.Dropped)
	return v.Done()
}
