package check

import (
	"testing"

	"github.com/ferrymq/ferrymq/jepsen/history"
)

const testOnce = "once"

// answered is a history of requests, which end in all ways.
func answered() *history.Run {
	b := newBook()
	ask := func(k history.Key, at int64, queue string, outcome history.Outcome, code string) {
		o := b.op(history.Op{Client: 1, Queue: queue, Kind: Ask, Key: k, Outcome: outcome, Code: code})
		o.Call = at
	}
	for i := range 60 {
		k := history.Key{Producer: 1, Seq: uint64(i) + 1}
		b.queue = testQueue
		if i%2 == 1 {
			b.queue = testOnce
		}
		at := b.tick(1)
		if i%10 == 7 {
			ask(k, at, b.queue, history.Fail, "no_responders")
			continue
		}
		b.index++
		d := b.deliver(3, k, history.Witness{Index: b.index}, 1)
		switch i % 10 {
		case 3: // the responder of a request for once was lost
			ask(k, at, b.queue, history.Fail, "responder_lost")
			continue
		case 4: // tried again
			b.settle(history.Nack, d, history.OK)
			d = b.deliver(4, k, d.ID, 2)
		case 5:
			b.settle(history.Reject, d, history.OK)
			ask(k, at, b.queue, history.Fail, "dead_lettered")
			continue
		case 6:
			ask(k, at, b.queue, history.Unknown, "")
			continue
		}
		b.settle(Reply, d, history.OK)
		ask(k, at, b.queue, history.OK, "")
	}
	b.queue = testQueue
	return b.close()
}

func TestRequests(t *testing.T) {
	c := Requests{
		Workload: "w", Again: testQueue, Once: testOnce,
		Floors: RequestsFloors{Answered: 30, Once: 10, Refused: 10},
	}
	asked := func(code string) func(*history.Op) bool {
		return func(o *history.Op) bool { return o.Kind == Ask && o.Outcome == history.Fail && o.Code == code }
	}
	ok := kind(Ask, history.OK)
	mustFind(t, c, answered, []planted{
		{"of another request", KindAnswer, func(t *testing.T, run *history.Run) { find(t, run, 3, ok).Code = CodeWrong }},
		{"that nobody gave", KindAnswer, func(t *testing.T, run *history.Run) {
			k := find(t, run, 3, ok).Key
			drop(run, func(o *history.Op) bool { return o.Key == k && o.Kind == Reply })
		}},
		{"that was refused", KindAnswer, func(t *testing.T, run *history.Run) {
			k := find(t, run, 3, ok).Key
			find(t, run, 0, func(o *history.Op) bool { return o.Key == k && o.Kind == Reply }).Outcome = history.Fail
		}},
		{"nobody was there, and worked on it", KindGhost, func(t *testing.T, run *history.Run) {
			a := find(t, run, 3, ok)
			a.Outcome, a.Code = history.Fail, "no_responders"
		}},
		{"lost although it may be tried again", KindOutcome, func(t *testing.T, run *history.Run) {
			k := find(t, run, 0, asked("responder_lost")).Key
			for i := range run.Ops {
				if run.Ops[i].Key == k {
					run.Ops[i].Queue = testQueue
				}
			}
		}},
		{"dead, and nobody had it", KindOutcome, func(t *testing.T, run *history.Run) {
			find(t, run, 0, asked("no_responders")).Code = "dead_lettered"
		}},
		{"a strange outcome", KindOutcome, func(t *testing.T, run *history.Run) { find(t, run, 0, asked("dead_lettered")).Code = "out_of_order" }},
		{"worked on twice", KindTwice, func(t *testing.T, run *history.Run) {
			d := *find(t, run, 3, on(testOnce, attempts(1)))
			d.Token += 1000
			d.Call++
			run.Ops = append(run.Ops, d)
		}},
		{"before it was asked", KindEarly, func(t *testing.T, run *history.Run) { find(t, run, 3, attempts(1)).Call = 0 }},
		{"nobody asked", KindUnexpected, func(t *testing.T, run *history.Run) {
			k := find(t, run, 3, ok).Key
			drop(run, func(o *history.Op) bool { return o.Key == k && o.Kind == Ask })
		}},
		{"no outcome", KindUnanswered, func(t *testing.T, run *history.Run) { find(t, run, 3, ok).Outcome = history.Pending }},
	})
}
