package check

import (
	"testing"

	"github.com/ferrymq/ferrymq/jepsen/history"
)

const testTopic = "topic"

// fannedOut is a history of a topic with a subscription for everything, one
// for every other message, and one that misses some.
func fannedOut() *history.Run {
	b := newBook()
	for i := range 80 {
		outcome, stored := history.OK, true
		switch i % 8 {
		case 3:
			outcome = history.Unknown
		case 4:
			outcome, stored = history.Unknown, false
		case 5:
			outcome, stored = history.Fail, false
		}
		b.queue = testTopic
		k, id := b.publish(1, outcome, stored)
		if outcome == history.Fail {
			b.run.Ops[len(b.run.Ops)-1].Code = "busy"
		}
		if !stored {
			continue
		}
		for _, queue := range []string{"all", "odd", "lossy"} {
			if queue == "odd" && k.Seq%2 == 0 {
				continue
			}
			q := b.count(queue)
			if queue == "lossy" && i%4 == 0 {
				q.Missed++
				continue
			}
			q.Published++
			b.queue = queue
			b.settle(history.Ack, b.deliver(3, k, id, 1), history.OK)
		}
	}
	return b.close()
}

func TestFanOut(t *testing.T) {
	all := func(history.Key) bool { return true }
	c := FanOut{
		Workload: "w", Topic: testTopic,
		Subscriptions: []Subscribed{
			{Queue: "all", Matches: all},
			{Queue: "odd", Matches: func(k history.Key) bool { return k.Seq%2 == 1 }},
			{Queue: "lossy", Matches: all, Lossy: true},
		},
		Floors: FanOutFloors{Confirmed: 40, Copies: 100, Missed: 10, Refused: 5},
	}
	copies := func(queue string) func(*history.Op) bool { return on(queue, kind(history.Deliver, history.OK)) }
	lose := func(run *history.Run, queue string, k history.Key) {
		drop(run, func(o *history.Op) bool { return o.Queue == queue && o.Key == k })
	}
	published := on(testTopic, kind(history.Publish, history.OK))
	mustFind(t, c, fannedOut, []planted{
		{"one subscription has not got it", KindLost, func(t *testing.T, run *history.Run) {
			lose(run, "odd", find(t, run, 3, copies("odd")).Key)
		}},
		{"the lossy one missed more than it counts", KindLost, func(t *testing.T, run *history.Run) {
			lose(run, "lossy", find(t, run, 3, copies("lossy")).Key)
			for _, o := range run.Ops { // as do those of unknown outcome
				if o.Queue == testTopic && o.Outcome == history.Unknown {
					lose(run, "lossy", o.Key)
				}
			}
		}},
		{"half of an unknown one", KindHalf, func(t *testing.T, run *history.Run) {
			p := find(t, run, 0, func(o *history.Op) bool { return o.Outcome == history.Unknown && o.Key.Seq%2 == 1 })
			k := p.Key
			p = find(t, run, 0, func(o *history.Op) bool { return o.Queue == "odd" && o.Kind == history.Deliver })
			find(t, run, 0, func(o *history.Op) bool { return o.Queue == testTopic && o.Key == p.Key }).Outcome = history.Unknown
			lose(run, "odd", p.Key)
			lose(run, "odd", k)
		}},
		{"where it does not belong", KindUnmatched, func(t *testing.T, run *history.Run) {
			d := *find(t, run, 3, func(o *history.Op) bool { return copies("all")(o) && o.Key.Seq%2 == 0 })
			d.Queue = "odd"
			run.Ops = append(run.Ops, d)
		}},
		{"twice in one", KindDoubled, func(t *testing.T, run *history.Run) {
			d := *find(t, run, 3, copies("all"))
			d.ID.Index += 1000
			run.Ops = append(run.Ops, d)
		}},
		{"under two ids", KindIdentity, func(t *testing.T, run *history.Run) { find(t, run, 3, copies("odd")).ID.Index += 1000 }},
		{"a refused one", KindGhost, func(t *testing.T, run *history.Run) { find(t, run, 3, published).Outcome = history.Fail }},
		{"before its publish", KindEarly, func(t *testing.T, run *history.Run) { find(t, run, 3, copies("all")).Call = 1 }},
		{"nobody published it", KindUnexpected, func(t *testing.T, run *history.Run) { find(t, run, 3, copies("all")).Key.Seq = 777 }},
		{"nobody acked it", KindUnsettled, func(t *testing.T, run *history.Run) {
			k := find(t, run, 3, copies("all")).Key
			drop(run, func(o *history.Op) bool { return o.Queue == "all" && o.Key == k && ends(o) })
		}},
		{"no outcome", KindUnanswered, func(t *testing.T, run *history.Run) { find(t, run, 3, published).Outcome = history.Pending }},
		{"published twice", KindReusedKey, func(t *testing.T, run *history.Run) { run.Ops = append(run.Ops, *find(t, run, 3, published)) }},
		{"missed what it may not", KindTotals, func(t *testing.T, run *history.Run) {
			for r := range run.Replicas {
				run.Replicas[r].Queues[2].Missed++
			}
		}},
		{"not drained", KindUndrained, func(_ *testing.T, run *history.Run) { run.Drained = 0 }},
	})
}
