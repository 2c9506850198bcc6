package broker

import (
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ferrymq/ferrymq/fsm"
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

// TestCommitUnderAlarm: at the node of a client and from elsewhere, a commit
// passes an alarm with as many acks as messages, and with no other settle.
func TestCommitUnderAlarm(t *testing.T) {
	p := newPair(t, func(o *Options) { o.MemoryLimit = 3000 })
	near, far := attached(t, p.a, 1), attached(t, p.b, 2)
	near.create("q")
	near.create("results")
	near.consume("q", 1)
	far.consume("q", 1)
	large, record := strings.Repeat("x", 4000), publishOf(transport.OpHeader{}, "", "x").Records
	near.wantCode(near.publish("q", large, large), transport.CodeOK)
	for _, c := range []*testClient{near, far} {
		d := c.delivery()
		commit := func(a transport.Action, code transport.Code) transport.Result {
			return c.wantCode(c.send(transport.OpCommit, transport.Commit{
				OpHeader: c.header(), Settles: settlesOf(a, d),
				Publishes: []transport.CommitPublish{{Queue: "results", Count: 1, Records: record}},
			}), code)
		}
		for _, a := range []transport.Action{transport.ActionExtend, transport.ActionNack, transport.ActionReject} {
			if r := commit(a, transport.CodeBusy); r.Cause != transport.CauseMemory {
				t.Fatalf("%+v", r)
			}
		}
		commit(transport.ActionAck, transport.CodeOK)
	}
}

// TestGrows: of forwarded commands, those need room that store more messages
// than they let go.
func TestGrows(t *testing.T) {
	record := publishOf(transport.OpHeader{}, "q", strings.Repeat("x", 10)).Records
	one := []fsm.CommitPublish{{Queue: "q", Count: 1, Records: record}}
	settles := func(actions ...fsm.Action) (all []fsm.SettleItem) {
		for i, a := range actions {
			all = append(all, fsm.SettleItem{Place: uint64(i + 1), Token: 1, Action: a})
		}
		return all
	}
	settle := settles(fsm.ActionAck)
	for _, tc := range []struct {
		command fsm.Command
		want    bool
	}{
		{&fsm.Publish{Queue: "q", Count: 1, Records: record}, true},
		{&fsm.Request{Queue: "q", Records: record}, true},
		{&fsm.Reply{Records: record}, false},
		{&fsm.Settle{Items: settle}, false},
		{&fsm.Commit{Publishes: one}, true},
		{&fsm.Commit{Settles: settle, Publishes: one}, false},
		{&fsm.Commit{Settles: settle}, false},
		{&fsm.Commit{Settles: settles(fsm.ActionExtend), Publishes: one}, true},
		{&fsm.Commit{Settles: settles(fsm.ActionNack), Publishes: one}, true},
		{&fsm.Commit{Settles: settles(fsm.ActionReject), Publishes: one}, true},
		{&fsm.Commit{Settles: settles(fsm.ActionExtend, fsm.ActionAck), Publishes: one}, false},
		{&fsm.Commit{Settles: settles(fsm.ActionExtend, fsm.ActionAck), Publishes: append(one, one...)}, true},
		{&fsm.Commit{Settles: settles(fsm.ActionExtend, fsm.ActionNack)}, false},
	} {
		if got := grows(tc.command.Kind(), fsm.Append(nil, tc.command)); got != tc.want {
			t.Errorf("%#v: %v, want %v", tc.command, got, tc.want)
		}
	}
	if !grows(fsm.KindCommit, []byte{0xc4, 1, byte(fsm.KindCommit)}) {
		t.Error("a commit that cannot be read is let through")
	}
}
