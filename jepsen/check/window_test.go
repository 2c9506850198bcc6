package check

import (
	"testing"

	"github.com/ferrymq/ferrymq/jepsen/history"
)

// windowed is a history of messages that are published again.
func windowed() *history.Run {
	b := newBook()
	for i := range 60 {
		outcome, stored := history.OK, true
		if i%6 == 5 {
			outcome, stored = history.Unknown, i%12 == 5
		}
		k, id := b.publish(1, outcome, stored)
		if !stored { // the repeat stores it
			id = b.op(history.Op{Client: 2, Kind: Republish, Key: k}).At
			b.count(testQueue).Published++
		}
		again := b.op(history.Op{Client: 2, Kind: Republish, Key: k})
		again.Code, again.At = CodeDuplicate, id
		if outcome == history.OK {
			b.op(history.Op{Client: 2, Kind: Republish, Key: k, Value: 1, Outcome: history.Fail, Code: "conflict"})
		}
		b.settle(history.Ack, b.deliver(3, k, id, 1), history.OK)
	}
	return b.close()
}

func TestWindow(t *testing.T) {
	c := Window{Workload: "w", Queue: testQueue, Floors: WindowFloors{Confirmed: 60, Duplicates: 60, Conflicts: 50}}
	again := func(code string, value uint64) func(*history.Op) bool {
		return func(o *history.Op) bool { return o.Kind == Republish && o.Code == code && o.Value == value }
	}
	mustFind(t, c, windowed, []planted{
		{"two of one id", KindDoubled, func(t *testing.T, run *history.Run) {
			d := *find(t, run, 3, attempts(1))
			d.ID.Index += 1000
			run.Ops = append(run.Ops, d)
		}},
		{"stored again", KindDoubled, func(t *testing.T, run *history.Run) { find(t, run, 3, again(CodeDuplicate, 0)).Code = "" }},
		{"another body was taken", KindConflict, func(t *testing.T, run *history.Run) { find(t, run, 3, again("conflict", 1)).Outcome = history.OK }},
		{"the same body was refused", KindOutcome, func(t *testing.T, run *history.Run) { find(t, run, 3, again("conflict", 1)).Value = 0 }},
		{"a duplicate of something else", KindIdentity, func(t *testing.T, run *history.Run) { find(t, run, 3, again(CodeDuplicate, 0)).At.Index++ }},
		{"never seen", KindLost, func(t *testing.T, run *history.Run) {
			k := find(t, run, 3, attempts(1)).Key
			drop(run, func(o *history.Op) bool { return o.Key == k && (o.Kind == history.Deliver || o.Kind == history.Ack) })
		}},
		{"refused, and there", KindGhost, func(t *testing.T, run *history.Run) {
			k := find(t, run, 3, attempts(1)).Key
			for i := range run.Ops {
				if o := &run.Ops[i]; o.Key == k && (o.Kind == Republish || o.Kind == history.Publish) {
					o.Outcome, o.Code = history.Fail, "busy"
				}
			}
		}},
		{"nobody acked it", KindUnsettled, func(t *testing.T, run *history.Run) {
			k := find(t, run, 3, attempts(1)).Key
			drop(run, func(o *history.Op) bool { return o.Key == k && ends(o) })
		}},
		{"nobody published it", KindUnexpected, func(t *testing.T, run *history.Run) {
			k := find(t, run, 3, attempts(1)).Key
			drop(run, func(o *history.Op) bool { return o.Key == k && o.Kind == history.Publish })
		}},
		{"no answer", KindUnanswered, func(t *testing.T, run *history.Run) {
			find(t, run, 3, again(CodeDuplicate, 0)).Outcome = history.Pending
		}},
		{"not drained", KindUndrained, func(_ *testing.T, run *history.Run) { run.Drained = 0 }},
		{"one is left", KindLeft, everywhere(0, func(q *history.Queue) { q.Ready++ })},
	})
}
