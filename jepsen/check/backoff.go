package check

import (
	"time"

	"github.com/ferrymq/ferrymq/jepsen/history"
)

// Backoff judges that a message which was nacked is not handed out again
// before its delay is over: that of the nack, which is its Value in
// milliseconds, or the one of the queue's policy.
type Backoff struct {
	Workload string
	Queues   []string // none: all that the workload names

	// Least is the shortest delay by the policy, before the attempt that
	// follows so many failures.
	Least func(failures int) time.Duration

	Floors BackoffFloors
}

// BackoffFloors is how many delays have to have been seen.
type BackoffFloors struct{ ByPolicy, ByNack int64 }

func (b Backoff) Name() string { return "backoff" }

// Check is linear in the operations but for sorting.
func (b Backoff) Check(run *history.Run) Verdict {
	v := NewVerdict(b.Name(), b.Workload)
	policy, own := int64(0), int64(0)
	for _, m := range newLedger(run, b.Workload, b.Queues).messages {
		for i, d := range m.source.deliveries {
			n := nackOf(&m.source, d)
			if n == nil || i+1 == len(m.source.deliveries) {
				continue
			}
			least := time.Duration(n.Value) * time.Millisecond
			if n.Value > 0 {
				own++
			} else {
				policy++
				least = b.Least(d.Failures + 1)
			}
			next := m.source.deliveries[i+1]
			if waited := time.Duration(next.Call - n.Call); waited < least-leaseSlack {
				v.Add(KindTooSoon, next.Call, "%v after a nack that has it wait %v: %s", waited, least, next)
			}
		}
	}
	v.Saw("delays by policy", policy, b.Floors.ByPolicy)
	v.Saw("delays by nack", own, b.Floors.ByNack)
	return v.Done()
}

// nackOf is the nack that ended the lease of a delivery, nil if none did for
// certain.
func nackOf(x *life, d *history.Op) *history.Op {
	for _, s := range x.settles {
		if s.Kind == history.Nack && s.Token == d.Token && s.Outcome == history.OK {
			return s
		}
	}
	return nil
}
