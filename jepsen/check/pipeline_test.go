package check

import (
	"testing"

	"github.com/ferrymq/ferrymq/jepsen/history"
)

const testResults = "results"

// pipelined is a history of n messages with their results, some of which took
// two attempts.
func pipelined(n int) *history.Run {
	b := newBook()
	for i := range n {
		k, id := b.publish(1, history.OK, true)
		d := b.deliver(3, k, id, 1)
		if i%5 == 0 {
			b.tick(testLease)
			stale := d
			d = b.deliver(4, k, id, 2)
			b.settle(history.Ack, stale, history.Fail).Code = "lease_lost"
		}
		outcome := history.OK
		if i%7 == 6 {
			outcome = history.Unknown
		}
		b.settle(history.Ack, d, outcome)
		if outcome == history.Unknown {
			b.count(testQueue).Acked++
		}
		b.queue = testResults
		b.count(testResults).Published++
		b.index++
		r := b.deliver(5, k, history.Witness{Index: b.index}, 1)
		b.settle(history.Ack, r, history.OK)
		b.queue = testQueue
	}
	return b.close()
}

func TestPipeline(t *testing.T) {
	p := Pipeline{Workload: "w", From: testQueue, To: testResults, Floors: PipelineFloors{Results: 30, Refused: 5}}
	result := on(testResults, kind(history.Deliver, history.OK))
	step := on(testQueue, kind(history.Ack, history.OK))
	mustFind(t, p, func() *history.Run { return pipelined(40) }, []planted{
		{"two results", KindDoubled, func(t *testing.T, run *history.Run) {
			d := *find(t, run, 3, result)
			d.ID.Index += 1000
			run.Ops = append(run.Ops, d)
		}},
		{"no result", KindLost, func(t *testing.T, run *history.Run) {
			k := find(t, run, 3, result).Key
			drop(run, func(o *history.Op) bool { return o.Queue == testResults && o.Key == k })
		}},
		{"acked, and no result", KindHalf, func(t *testing.T, run *history.Run) {
			k := find(t, run, 3, result).Key
			drop(run, func(o *history.Op) bool { return o.Queue == testResults && o.Key == k })
		}},
		{"a result, and the step was refused", KindHalf, func(t *testing.T, run *history.Run) { find(t, run, 3, step).Outcome = history.Fail }},
		{"a result before the step", KindEarly, func(t *testing.T, run *history.Run) { find(t, run, 3, result).Call = 1 }},
		{"a result of nothing", KindUnexpected, func(t *testing.T, run *history.Run) { find(t, run, 3, result).Key.Seq = 777 }},
		{"a result of what was refused", KindGhost, func(t *testing.T, run *history.Run) {
			find(t, run, 3, kind(history.Publish, history.OK)).Outcome = history.Fail
		}},
		{"nobody took the result", KindUnsettled, func(t *testing.T, run *history.Run) {
			k := find(t, run, 3, result).Key
			drop(run, func(o *history.Op) bool { return o.Queue == testResults && o.Key == k && ends(o) })
		}},
		{"one result is left", KindLeft, everywhere(2, func(q *history.Queue) { q.Leased++ })},
	})
}
