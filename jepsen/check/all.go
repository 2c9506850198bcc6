package check

import (
	"runtime"
	"sync"

	"github.com/ferrymq/ferrymq/jepsen/history"
)

// All has checkers judge a run, as many at once as there are processors, and
// returns their verdicts in the checkers' order.
func All(run *history.Run, checkers []Checker) []Verdict {
	verdicts := make([]Verdict, len(checkers))
	next := make(chan int)
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(checkers)) {
		workers.Go(func() {
			for i := range next {
				verdicts[i] = checkers[i].Check(run)
			}
		})
	}
	for i := range checkers {
		next <- i
	}
	close(next)
	workers.Wait()
	return verdicts
}

// Totals is what a run comes to, in messages.
type Totals struct{ Confirmed, Lost, Unexpected, Ghost int64 }

// Sum adds up verdicts. Several checkers of one workload see the same
// messages: of each workload the largest number counts.
func Sum(verdicts []Verdict) (all Totals) {
	workloads := map[string]Totals{}
	for _, v := range verdicts {
		t := workloads[v.Workload]
		for _, c := range v.Checked {
			if c.Name == "confirmed" {
				t.Confirmed = max(t.Confirmed, c.Seen)
			}
		}
		t.Lost = max(t.Lost, v.Found[KindLost])
		t.Unexpected = max(t.Unexpected, v.Found[KindUnexpected])
		t.Ghost = max(t.Ghost, v.Found[KindGhost])
		workloads[v.Workload] = t
	}
	for _, t := range workloads {
		all.Add(t)
	}
	return all
}

// Add adds another run's totals.
func (t *Totals) Add(x Totals) {
	t.Confirmed += x.Confirmed
	t.Lost += x.Lost
	t.Unexpected += x.Unexpected
	t.Ghost += x.Ghost
}
