package broker

import (
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ferrymq/ferrymq/transport"
)

// awaitSample waits until heap, disk and lag were looked at once more. It is for
// bubbles: elsewhere a look that began before a change may be judged after it.
func awaitSample() {
	time.Sleep(sampleEvery)
	synctest.Wait()
}

// TestDiskAlarm: while the leader's disk is nearly full, publishes are refused
// wherever they come from, and what frees space is not. The disk of another node
// refuses nothing.
func TestDiskAlarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const mark = 1000
		var free, elsewhere atomic.Uint64
		free.Store(mark)
		elsewhere.Store(2 * mark)
		p := newPair(t, func(o *Options) {
			free := map[string]*atomic.Uint64{"a": &free, "b": &elsewhere}[o.Node]
			o.Disk = func() (uint64, uint64, error) { return free.Load(), mark, nil }
		})
		near, far := attached(t, p.a, 1), attached(t, p.b, 2)
		near.create("q")
		far.consume("q", 1)
		far.wantCode(far.publish("q", "1", "2", "3"), transport.CodeOK)

		free.Store(mark - 1)
		awaitSample()
		for _, c := range []*testClient{near, far} {
			r := c.wantCode(c.publish("q", "x"), transport.CodeBusy)
			if r.Cause != transport.CauseDisk || r.RetryAfterMs == 0 {
				t.Fatalf("%+v", r)
			}
		}
		far.wantCode(far.commit([]transport.Delivery{far.delivery()}, "q", "more", "than it settles"), transport.CodeBusy)
		if names := p.a.Alarms(0); !slices.Equal(names, []string{"disk"}) {
			t.Fatalf("alarms %v", names)
		}
		if names := p.b.Alarms(0); names != nil {
			t.Fatalf("alarms of a node without any: %v", names)
		}
		d := far.delivery()
		far.wantCode(far.settle(transport.ActionAck, d), transport.CodeOK)
		near.create("another")

		free.Store(mark + 1) // not well above the mark yet
		awaitSample()
		near.wantCode(near.publish("q", "x"), transport.CodeBusy)
		free.Store(2 * mark)
		awaitSample()
		for _, c := range []*testClient{near, far} {
			c.wantCode(c.publish("q", "x"), transport.CodeOK)
		}
		elsewhere.Store(0)
		awaitSample()
		for _, c := range []*testClient{near, far} {
			c.wantCode(c.publish("q", "x"), transport.CodeOK)
		}
	})
}

// TestHeapAlarm: at three quarters of its memory a leader takes no more, whatever
// the memory is used for, and lets through what frees some.
func TestHeapAlarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const limit = 800
		var live atomic.Int64
		b := startBroker(t, "a", newLeading(t, "a"), nil, func(o *Options) {
			o.Heap = func() (int64, int64) { return live.Load(), limit }
		})
		c := attached(t, b, 1)
		c.create("q")
		c.consume("q", 1)
		at := func(bytes int64, code transport.Code) transport.Result {
			t.Helper()
			live.Store(bytes)
			awaitSample()
			return c.wantCode(c.publish("q", "x"), code)
		}
		at(599, transport.CodeOK)
		if r := at(600, transport.CodeBusy); r.Cause != transport.CauseMemory || r.RetryAfterMs == 0 {
			t.Fatalf("%+v", r)
		}
		if names := b.Alarms(0); !slices.Equal(names, []string{"memory"}) {
			t.Fatalf("alarms %v", names)
		}
		c.wantCode(c.settle(transport.ActionAck, c.delivery()), transport.CodeOK)
		at(500, transport.CodeBusy) // not well below the mark yet
		at(499, transport.CodeOK)
	})
}

// TestLagAlarm: a leader whose state is far behind its log takes no more.
func TestLagAlarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newLeading(t, "a")
		b := startBroker(t, "a", g, nil, func(o *Options) { o.LagMax = 100 })
		c := attached(t, b, 1)
		c.create("q")
		lag := func(n uint64) {
			g.mu.Lock()
			g.lag = n
			g.mu.Unlock()
			awaitSample()
		}
		lag(101)
		if r := c.wantCode(c.publish("q", "x"), transport.CodeBusy); r.Cause != transport.CauseLag {
			t.Fatalf("%+v", r)
		}
		lag(100)
		c.wantCode(c.publish("q", "x"), transport.CodeBusy)
		lag(50)
		c.wantCode(c.publish("q", "x"), transport.CodeOK)
	})
}
