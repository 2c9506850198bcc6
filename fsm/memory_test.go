package fsm

import (
	"math"
	"runtime"
	"testing"

	"github.com/ferrymq/ferrymq/fsm/pages"
	"github.com/ferrymq/ferrymq/fsm/record"
)

// TestMemoryOfMessages holds what a message takes besides its own record to
// what is promised: 24 bytes if it just waits, 128 if it is leased or a clock
// has something to do with it.
func TestMemoryOfMessages(t *testing.T) {
	const messages, frame = 1 << 14, 256
	for _, c := range []struct {
		name      string
		consumers int // which lease all of it
		message   func(n int) record.Message
		bytes     float64
	}{
		{"waiting", 0, func(int) record.Message { return record.Message{} }, 24},
		{"leased", 4, func(int) record.Message { return record.Message{} }, 128},
		{"expiring", 0, func(n int) record.Message { return record.Message{TTLMillis: 1_000_000} }, 128},
		{"leased, expiring", 4, func(n int) record.Message { return record.Message{TTLMillis: 1_000_000} }, 128},
		{"scheduled in order", 0, func(n int) record.Message { return record.Message{DelayMillis: 1_000_000 + uint64(n)} }, 128},
		{"scheduled in any order", 0, func(n int) record.Message {
			return record.Message{DelayMillis: 1_000_000 + uint64(n)*7919%messages*4}
		}, 128},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := newBench(t, 1, false)
			var commands []byte
			for i := range c.consumers {
				commands = AppendConsume(commands, &Consume{OpHeader: x.header(), Queue: "q", Consumer: uint32(i + 1),
					CreditMessages: MaxCreditMessages, CreditBytes: MaxCreditBytes})
			}
			x.apply(t, commands, c.consumers)
			before := heap()
			for n := 0; n < messages; n += frame {
				commands = AppendPublish(commands[:0], &Publish{OpHeader: x.header(), Queue: "q", Count: frame,
					Records: recordsOfKind(frame, 1, c.message(n))})
				x.apply(t, commands, 1)
			}
			got := float64(heap()-before-x.s.HeldBytes()) / messages
			q, _ := x.s.Queue("q")
			if leased := c.consumers * MaxCreditMessages; q.Leased != uint64(leased) || q.Ready+q.Scheduled+q.Leased != messages {
				t.Fatalf("leased %d, ready %d, scheduled %d", q.Leased, q.Ready, q.Scheduled)
			}
			if t.Logf("%.1f B", got); got > c.bytes {
				t.Errorf("a message takes %.1f B, more than %.0f", got, c.bytes)
			}
			runtime.KeepAlive(x)
		})
	}
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestLeaseNumbersBeginAnew runs a consumer out of numbers for its leases.
func TestLeaseNumbersBeginAnew(t *testing.T) {
	x := newBench(t, 1, true)
	buf := x.round(t, nil, 1, 8)
	y := x.s.session(x.s.byID[x.id])
	c := x.s.consumer(y.consumers[0].serial)
	held := c.held
	c.held, c.lent = pages.Map[uint64]{}, math.MaxUint32
	q := x.s.queueNamed("q")
	held.Scan(func(number, place uint64) bool {
		l, _ := q.leased.Get(place)
		l.number = math.MaxUint32 - uint32(8-number)
		c.held.Set(uint64(l.number), place)
		q.leased.Set(place, l)
		return true
	})
	if err := x.s.Check(); err != nil {
		t.Fatal(err)
	}
	first := x.items[:3]
	x.items = x.items[3:]
	x.round(t, buf, 1, 4)
	if err := x.s.Check(); err != nil {
		t.Fatal(err)
	}
	if c.held.Len() != 7 || c.lent != 7 {
		t.Errorf("%d held, the last number is %d", c.held.Len(), c.lent)
	}
	x.items = first
	x.round(t, buf, 1, 1)
	if c.held.Len() != 5 || c.lent != 8 {
		t.Errorf("%d held, the last number is %d", c.held.Len(), c.lent)
	}
}
