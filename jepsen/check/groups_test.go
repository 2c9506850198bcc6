package check

import (
	"testing"

	"github.com/ferrymq/ferrymq/jepsen/history"
)

// grouped is a history of two groups, whose messages take turns, and some of
// whose take two attempts.
func grouped() *history.Run {
	b := newBook()
	for i := range 60 {
		k, id := b.publish(uint32(i%2)+1, history.OK, true)
		d := b.deliver(3, k, id, 1)
		switch i % 5 {
		case 3:
			b.settle(history.Nack, d, history.OK)
			d = b.deliver(4, k, id, 2)
		case 4:
			b.tick(testLease)
			d = b.deliver(4, k, id, 2)
		}
		b.settle(history.Ack, d, history.OK)
	}
	return b.close()
}

func TestGroups(t *testing.T) {
	c := Groups{Workload: "w", Queue: testQueue, Lease: testLease, Floors: GroupsFloors{Groups: 2, Grants: 70, Retried: 20}}
	mustFind(t, c, grouped, []planted{
		{"the next came between", KindOrder, func(t *testing.T, run *history.Run) {
			d := find(t, run, 0, attempts(2))
			next := find(t, run, 0, func(o *history.Op) bool {
				return attempts(1)(o) && o.Key.Producer == d.Key.Producer && o.Key.Seq == d.Key.Seq+1
			})
			d.Token, next.Token = next.Token, d.Token
		}},
		{"two at once", KindOverlap, func(t *testing.T, run *history.Run) {
			k := find(t, run, 10, attempts(1)).Key
			drop(run, func(o *history.Op) bool { return o.Key == k && ends(o) })
		}},
		{"the nack came later", KindOverlap, func(t *testing.T, run *history.Run) {
			n := find(t, run, 0, kind(history.Nack, history.OK))
			n.Call, n.Return = run.Ended, run.Ended
		}},
		{"a lease at two consumers", KindShared, func(t *testing.T, run *history.Run) {
			d := *find(t, run, 20, attempts(1))
			d.Consumer++
			run.Ops = append(run.Ops, d)
		}},
		{"an older token for a later attempt", KindToken, func(t *testing.T, run *history.Run) { find(t, run, 3, attempts(2)).Token = 1 }},
		{"a stale holder's settle", KindStaleSettle, func(t *testing.T, run *history.Run) {
			a := *find(t, run, 10, kind(history.Ack, history.OK))
			a.Call, a.Return = run.Ended, run.Ended
			run.Ops = append(run.Ops, a)
		}},
	})
}
