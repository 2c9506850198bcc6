package check

import (
	"cmp"
	"slices"

	"github.com/ferrymq/ferrymq/jepsen/history"
)

// Rate judges that a queue hands out no more messages than its rate and its
// burst allow, in whatever span of time. Deliveries are seen later than they
// were granted, so as many as consumers hold may be seen too close together.
type Rate struct {
	Workload string
	Queue    string
	Rate     float64 // messages a second
	Burst    int
	Held     int // credit of all its consumers together

	Floor int64 // deliveries
}

func (r Rate) Name() string { return "rate" }

// Check takes n log n. Of n deliveries in t seconds, n - Rate t may nowhere
// rise by more than the burst: it is compared with the lowest it was before.
func (r Rate) Check(run *history.Run) Verdict {
	v := NewVerdict(r.Name(), r.Workload)
	var seen []*history.Op
	for _, o := range pick(run, r.Workload, []string{r.Queue}) {
		if o.Kind == history.Deliver && !isDead(o) {
			seen = append(seen, o)
		}
	}
	slices.SortStableFunc(seen, func(a, b *history.Op) int { return cmp.Compare(a.Call, b.Call) })
	lowest := 0.0
	for i, o := range seen {
		above := float64(i) - r.Rate*float64(o.Call)/1e9
		if i == 0 {
			lowest = above
		}
		// One more than the burst: the first of the span counts as well.
		if n := above - lowest + 1; n > float64(r.Burst+r.Held)+1 {
			v.Add(KindTooFast, o.Call, "%.0f messages more than %.0f a second: %s", n, r.Rate, o)
		}
		lowest = min(lowest, above)
	}
	v.Saw("deliveries", int64(len(seen)), r.Floor)
	return v.Done()
}
