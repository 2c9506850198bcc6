package check

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ferrymq/ferrymq/jepsen/history"
)

const testLater = "later"

// clocked is a history of messages that have to wait, of others that may wait
// for half a second, and of some that waited too long.
func clocked() *history.Run {
	b := newBook()
	for i := range 40 {
		b.queue = testLater
		k, id := b.publish(1, history.OK, true)
		b.run.Ops[len(b.run.Ops)-1].Value = 800
		b.tick(800 * time.Millisecond)
		b.settle(history.Ack, b.deliver(3, k, id, 1), history.OK)

		b.queue = testQueue
		k, id = b.publish(2, history.OK, true)
		b.run.Ops[len(b.run.Ops)-1].Value = 500
		if i%2 == 0 {
			b.settle(history.Ack, b.deliver(4, k, id, 1), history.OK)
			continue
		}
		b.tick(500 * time.Millisecond)
		b.count(testQueue).Dead++
		b.die(history.Op{Key: k, ID: id}, "expired")
	}
	return b.close()
}

func TestTimed(t *testing.T) {
	c := Timed{
		Workload: "w", Later: []string{testLater}, Expiring: []string{testQueue},
		Floors: TimedFloors{Later: 40, InTime: 20, Expired: 20},
	}
	mustFind(t, c, clocked, []planted{
		{"before it was due", KindTooSoon, func(t *testing.T, run *history.Run) {
			find(t, run, 3, on(testLater, attempts(1))).Call -= int64(200 * time.Millisecond)
		}},
		{"dead before its time was over", KindTooSoon, func(t *testing.T, run *history.Run) {
			find(t, run, 3, deadLetter).Call -= int64(200 * time.Millisecond)
		}},
		{"granted after its time was over", KindTooLate, func(t *testing.T, run *history.Run) {
			d := find(t, run, 3, on(testQueue, attempts(1)))
			d.Token = 10_000
			d.Call = run.Ended
		}},
	})

	skewed := clocked()
	find(t, skewed, 3, on(testLater, attempts(1))).Call -= int64(700 * time.Millisecond)
	skewed.Faults = []history.Fault{{Name: "clock skew"}}
	require.Equal(t, Valid, c.Check(skewed).Result, "a clock was set wrong")
	late := clocked()
	d := find(t, late, 3, on(testQueue, attempts(1)))
	d.Call = late.Ended
	require.Equal(t, Valid, c.Check(late).Result, "granted in time, and seen late")
}
