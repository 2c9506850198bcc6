package check

import (
	"testing"
	"time"

	"github.com/ferrymq/ferrymq/jepsen/history"
)

// paced is a history of one delivery every 20 ms, but for some that come
// together.
func paced() *history.Run {
	b := newBook()
	for i := range 100 {
		if i%10 > 3 {
			b.tick(16 * time.Millisecond)
		}
		k, id := b.publish(1, history.OK, true)
		b.settle(history.Ack, b.deliver(3, k, id, 1), history.OK)
	}
	return b.close()
}

func TestRate(t *testing.T) {
	c := Rate{Workload: "w", Queue: testQueue, Rate: 80, Burst: 4, Held: 2, Floor: 100}
	mustFind(t, c, paced, []planted{
		{"all at once", KindTooFast, func(t *testing.T, run *history.Run) {
			at := find(t, run, 50, attempts(1)).Call
			for i := range 10 {
				find(t, run, 50+i, attempts(1)).Call = at
			}
		}},
		{"a little faster, for long", KindTooFast, func(_ *testing.T, run *history.Run) {
			for i := range run.Ops {
				run.Ops[i].Call /= 2
			}
		}},
	})
}

// braked is a history of a breaker that is opened and closed, with messages
// published meanwhile, which are delivered after it.
func braked() *history.Run {
	b := newBook()
	for range 20 {
		b.op(history.Op{Client: 6, Kind: OpenBreaker})
		k, id := b.publish(1, history.OK, true)
		b.op(history.Op{Client: 6, Kind: CloseBreaker})
		b.settle(history.Ack, b.deliver(3, k, id, 1), history.OK)
	}
	return b.close()
}

func TestBreaker(t *testing.T) {
	c := Breaker{Workload: "w", Queue: testQueue, Floors: BreakerFloors{Shut: 20, During: 20}}
	mustFind(t, c, braked, []planted{
		{"handed out meanwhile", KindShut, func(t *testing.T, run *history.Run) {
			d := find(t, run, 7, attempts(1))
			d.Call = find(t, run, 7, kind(CloseBreaker, history.OK)).Call - 1
		}},
		{"the closing was later", KindShut, func(t *testing.T, run *history.Run) {
			c := find(t, run, 7, kind(CloseBreaker, history.OK))
			c.Call += int64(3 * time.Millisecond)
		}},
		{"nobody opened it", KindVacuous, func(_ *testing.T, run *history.Run) {
			drop(run, func(o *history.Op) bool { return o.Kind == OpenBreaker })
		}},
	})
}
