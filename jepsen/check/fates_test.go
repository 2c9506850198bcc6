package check

import (
	"testing"

	"github.com/ferrymq/ferrymq/jepsen/history"
)

func fates() Fates {
	return Fates{Workload: "w", Deaths: []string{"rejected"}, Floors: FatesFloors{Confirmed: 80, Delivered: 80, Dead: 5}}
}

func TestFates(t *testing.T) {
	mustFind(t, fates(), orderly120, []planted{
		{"a confirmed message is gone", KindLost, func(t *testing.T, run *history.Run) {
			forget(run, find(t, run, 20, kind(history.Publish, history.OK)).Key)
		}},
		{"nobody published it", KindUnexpected, func(t *testing.T, run *history.Run) {
			k := find(t, run, 3, kind(history.Publish, history.OK)).Key
			drop(run, func(o *history.Op) bool { return o.Key == k && o.Kind == history.Publish })
		}},
		{"a refused publish", KindGhost, func(t *testing.T, run *history.Run) {
			find(t, run, 3, kind(history.Publish, history.OK)).Outcome = history.Fail
		}},
		{"before its publish", KindEarly, func(t *testing.T, run *history.Run) { find(t, run, 5, attempts(1)).Call = 1 }},
		{"stored twice", KindDoubled, func(t *testing.T, run *history.Run) { find(t, run, 1, attempts(2)).ID.Index += 1000 }},
		{"another id than confirmed", KindIdentity, func(t *testing.T, run *history.Run) {
			find(t, run, 3, kind(history.Publish, history.OK)).At.Index += 1000
		}},
		{"dead of something else", KindDeadCause, func(t *testing.T, run *history.Run) { find(t, run, 0, deadLetter).Dead = "expired" }},
		{"alive after death", KindAfterDead, func(t *testing.T, run *history.Run) {
			dead := find(t, run, 0, deadLetter)
			d := *find(t, run, 0, func(o *history.Op) bool { return attempts(1)(o) && o.Key == dead.Key })
			d.Token = dead.Token + 1
			run.Ops = append(run.Ops, d)
		}},
		{"acked, and dead", KindTwice, func(t *testing.T, run *history.Run) {
			find(t, run, 0, kind(history.Reject, history.OK)).Kind = history.Ack
		}},
		{"nobody acked it", KindUnsettled, func(t *testing.T, run *history.Run) {
			k := find(t, run, 20, kind(history.Ack, history.OK)).Key
			drop(run, func(o *history.Op) bool { return o.Key == k && ends(o) })
		}},
		{"no outcome", KindUnanswered, func(t *testing.T, run *history.Run) {
			find(t, run, 3, kind(history.Publish, history.OK)).Outcome = history.Pending
		}},
		{"published twice", KindReusedKey, func(t *testing.T, run *history.Run) {
			run.Ops = append(run.Ops, *find(t, run, 1, kind(history.Publish, history.OK)))
		}},
		{"not drained", KindUndrained, func(_ *testing.T, run *history.Run) { run.Drained = 0 }},
		{"one fell out", KindSum, everywhere(0, func(q *history.Queue) { q.Acked-- })},
		{"one is waiting", KindLeft, everywhere(0, func(q *history.Queue) { q.Scheduled++ })},
		{"one death was for nothing", KindTotals, everywhere(1, func(q *history.Queue) { q.Published++ })},
		{"replicas differ", KindDiffer, func(_ *testing.T, run *history.Run) { run.Replicas[1].Queues[0].Expired++ }},
		{"no queue", KindMissing, func(_ *testing.T, run *history.Run) {
			for r := range run.Replicas {
				run.Replicas[r].Queues = nil
			}
		}},
	})
}

// vanishing is an orderly history in which some messages were never seen.
func vanishing() *history.Run {
	run := orderly120()
	gone := uint64(0)
	for _, o := range run.Ops {
		if o.Kind == history.Ack && o.Outcome == history.OK && o.Dead == "" && o.Attempt == 1 && gone < 4 {
			forget(run, o.Key)
			gone++
		}
	}
	for r := range run.Replicas {
		q := &run.Replicas[r].Queues[0]
		q.Expired, q.Acked = gone, q.Acked-gone
	}
	return run
}

func TestFatesOfVanished(t *testing.T) {
	f := fates()
	f.Queues, f.Vanish = []string{testQueue}, func(q history.Queue) uint64 { return q.Expired }
	f.Floors.Vanished = 4
	mustFind(t, f, vanishing, []planted{
		{"one more than the queue counts", KindLost, func(t *testing.T, run *history.Run) {
			forget(run, find(t, run, 0, func(o *history.Op) bool { return attempts(1)(o) }).Key)
		}},
		{"the queue counts more", KindTotals, everywhere(0, func(q *history.Queue) { q.Expired += 60 })},
		{"the queue counts others", KindSum, everywhere(0, func(q *history.Queue) { q.Expired++ })},
	})
}
