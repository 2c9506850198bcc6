package broker

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/ferrymq/ferrymq/fsm"
	"github.com/ferrymq/ferrymq/transport"
)

// TestClientThatReadsNothing: its requests stop being read, what it is owed
// stays bounded, and in the end it is closed. Meanwhile others go on at once.
func TestClientThatReadsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newLeading(t, "a")
		b := startBroker(t, "a", g, nil, func(o *Options) {
			o.RequestsMax, o.OutboxBytes = 50, 4096
		})
		setup := attached(t, b, 9)
		setup.create("q")

		ours, theirs := net.Pipe()
		done := make(chan struct{})
		go func() {
			defer close(done)
			b.Serve(theirs, transport.Preface{Kind: transport.KindClient})
		}()
		c := transport.NewConn(ours, transport.ConnOptions{OutboxMax: 64 << 20})
		put := func(op transport.Op, m payload) {
			if err := c.Send(t.Context(), transport.Frame{Op: op, Payload: m.AppendTo(nil)}); err != nil {
				t.Fatal(err)
			}
		}
		put(transport.OpHello, transport.Hello{VersionMin: 1, VersionMax: 1, HeartbeatMs: 10_000})
		if _, err := c.ReadFrame(nil); err != nil {
			t.Fatal(err)
		}
		put(transport.OpOpen, transport.Open{Session: sessionID(1)})
		put(transport.OpAttach, transport.Attach{Handle: 1, Session: sessionID(1), Epoch: 1})
		for i := range 10_000 {
			put(transport.OpPublish, publishOf(transport.OpHeader{Handle: 1, Number: uint64(i + 1)}, "q", "x"))
		}
		synctest.Wait()
		var owed, items int
		b.connsMu.Lock()
		for x := range b.conns {
			x.mu.Lock()
			owed = max(owed, x.requests)
			items = max(items, len(x.items))
			x.mu.Unlock()
		}
		b.connsMu.Unlock()
		if owed != 50 || items > 50 {
			t.Fatalf("%d requests and %d answers waiting, want 50", owed, items)
		}
		began := time.Now()
		setup.consume("q", 1)
		setup.wantCode(setup.publish("q", "y"), transport.CodeOK)
		setup.wantCode(setup.settle(transport.ActionAck, setup.delivery()), transport.CodeOK)
		if took := time.Since(began); took > time.Second {
			t.Fatalf("somebody else was held up for %v", took)
		}
		<-done
		if took := time.Since(began); took > 40*time.Second {
			t.Fatalf("closed after %v", took)
		}
		_ = c.Close() // closed by the other side already
		setup.close()
	})
}

// TestSubmitQueueBound: with entries that do not commit, connections are not
// read beyond the bound, and go on when they do.
func TestSubmitQueueBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const bound = 64 << 10
		g := newLeading(t, "a")
		b := startBroker(t, "a", g, nil, func(o *Options) { o.SubmitQueueBytes, o.EntryBytes = bound, 16<<10 })
		c := attached(t, b, 1)
		c.create("q")
		g.hold()
		const n = 300
		streams := make(chan uint32, n)
		go func() {
			for range n {
				streams <- c.publish("q", strings.Repeat("x", 1000))
			}
			close(streams)
		}()
		synctest.Wait()
		l := b.lanes[0]
		l.mu.Lock()
		queued := l.queue.bytes
		l.mu.Unlock()
		if queued < bound || queued > bound+2000 || g.heldCount() != 2 {
			t.Fatalf("%d bytes queued, %d entries under way", queued, g.heldCount())
		}
		g.release(nil)
		for s := range streams {
			c.wantCode(s, transport.CodeOK)
		}
		for _, size := range g.sizes {
			if size > 16<<10 {
				t.Fatalf("an entry of %d bytes", size)
			}
		}
		c.close()
	})
}

// TestLargeOperation: one above the size of an entry is an entry of its own.
func TestLargeOperation(t *testing.T) {
	g := newLeading(t, "a")
	b := startBroker(t, "a", g, nil, func(o *Options) { o.EntryBytes = 4096 })
	c := attached(t, b, 1)
	c.create("q")
	g.hold()
	streams := []uint32{c.publish("q", "x")}
	waitFor(t, "an entry under way", func() bool { return g.heldCount() == 1 })
	streams = append(streams, c.publish("q", "x"))
	waitFor(t, "two entries under way", func() bool { return g.heldCount() == 2 })
	streams = append(streams, c.publish("q", "small"), c.publish("q", strings.Repeat("x", 500<<10)), c.publish("q", "small"))
	waitFor(t, "the rest queued", func() bool { return queuedOps(b, g) == 3 })
	g.release(nil)
	for _, s := range streams {
		c.wantCode(s, transport.CodeOK)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if last := g.counts[len(g.counts)-3:]; last[0] != 1 || last[1] != 1 || last[2] != 1 {
		t.Fatalf("operations of the last entries: %v", g.counts)
	}
}

func TestMemoryLimit(t *testing.T) {
	p := newPair(t, func(o *Options) { o.MemoryLimit = 3000 })
	near, far := attached(t, p.a, 1), attached(t, p.b, 2)
	near.create("q")
	near.consume("q", 1)
	near.wantCode(near.publish("q", strings.Repeat("x", 4000)), transport.CodeOK)
	d := near.delivery()
	for _, c := range []*testClient{near, far} {
		if r := c.wantCode(c.publish("q", "x"), transport.CodeBusy); r.Cause != transport.CauseMemory || r.RetryAfterMs == 0 {
			t.Fatalf("%+v", r)
		}
	}
	near.wantCode(near.settle(transport.ActionAck, d), transport.CodeOK)
	for _, c := range []*testClient{near, far} {
		c.wantCode(c.publish("q", "x"), transport.CodeOK)
	}
}

// slowToLook is a group whose state is busy whenever somebody wants to see it.
type slowToLook struct{ *fakeGroup }

func (g slowToLook) View(f func(*fsm.State)) {
	time.Sleep(100 * time.Millisecond)
	g.fakeGroup.View(f)
}

// TestMemoryFreedBeforeAnswer: whoever was told that room was made finds it,
// however long the leader takes to look.
func TestMemoryFreedBeforeAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newLeading(t, "a")
		b := startBroker(t, "a", slowToLook{g}, nil, func(o *Options) { o.MemoryLimit = 3000 })
		c := attached(t, b, 1)
		c.create("q")
		c.consume("q", 1)
		for range 3 {
			c.wantCode(c.publish("q", strings.Repeat("x", 4000)), transport.CodeOK)
			d := c.delivery()
			c.wantCode(c.publish("q", "x"), transport.CodeBusy)
			time.Sleep(time.Second) // no look of an entry before sees this one's effect
			c.wantCode(c.settle(transport.ActionAck, d), transport.CodeOK)
		}
		c.close()
	})
}

// TestMemoryLimitOfNewLeader: it goes by what it holds, not by what it held
// when it led before.
func TestMemoryLimitOfNewLeader(t *testing.T) {
	g := newLeading(t, "a")
	b := startBroker(t, "a", g, nil, func(o *Options) { o.MemoryLimit = 3000 })
	c := attached(t, b, 1)
	c.create("q")
	c.wantCode(c.publish("q", strings.Repeat("x", 4000)), transport.CodeOK)
	c.wantCode(c.publish("q", "x"), transport.CodeBusy)
	c.number-- // refused: never seen by the state

	b.LeaderChanged(0, g.elect("b", 2), false)
	_ = c.reattach()
	elsewhere := startBroker(t, "b", g, nil)
	other := attached(t, elsewhere, 2)
	purge := transport.QueuePurge{OpHeader: other.header(), Queue: "q"}
	other.wantCode(other.send(transport.OpQueuePurge, purge), transport.CodeOK)
	elsewhere.LeaderChanged(0, transport.GroupInfo{Term: 3}, false)

	info := g.elect("a", 3)
	g.hold() // no entry tells the size
	b.LeaderChanged(0, info, true)
	_ = c.reattach()
	attach := c.send(transport.OpAttach, transport.Attach{Handle: 1, Session: sessionID(1), Epoch: 1})
	publish := c.publish("q", "x")
	waitFor(t, "both taken", func() bool { return g.heldOps()+queuedOps(b, g) == 2 })
	g.release(nil)
	c.wantCode(attach, transport.CodeOK)
	c.wantCode(publish, transport.CodeOK)
}

// TestForwardBound: no more than the bound is at the leader unanswered.
func TestForwardBound(t *testing.T) {
	const bound = 20 << 10
	p := newPair(t, func(o *Options) { o.ForwardBytes, o.EntryBytes = bound, 4096 })
	c := attached(t, p.b, 1)
	c.create("q")
	p.g.hold()
	var streams []uint32
	for range 100 {
		streams = append(streams, c.publish("q", strings.Repeat("x", 1000)))
	}
	l := p.b.lanes[0]
	state := func() (sent, queued int) {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.sent.bytes, l.queue.bytes
	}
	waitFor(t, "everything taken", func() bool { sent, queued := state(); return sent >= bound && sent+queued > 100_000 })
	if sent, _ := state(); sent > bound+4096 {
		t.Fatalf("%d bytes at the leader, bound %d", sent, bound)
	}
	p.g.release(nil)
	for _, s := range streams {
		c.wantCode(s, transport.CodeOK)
	}
}

// TestLargeDeliveries: what does not fit into a frame comes in several.
func TestLargeDeliveries(t *testing.T) {
	g := newLeading(t, "a")
	b := startBroker(t, "a", g, nil)
	p := attached(t, b, 1)
	p.create("q")
	for i := range 6 {
		p.wantCode(p.publish("q", fmt.Sprint(i)+strings.Repeat("x", 900_000)), transport.CodeOK)
	}
	c := attached(t, b, 2)
	c.consume("q", 1)
	for i := range 6 {
		if got := bodyOf(t, c.delivery()); got[:1] != fmt.Sprint(i) {
			t.Fatalf("message %s, want %d", got[:1], i)
		}
	}
}

func TestDrain(t *testing.T) {
	g := newLeading(t, "a")
	b := startBroker(t, "a", g, nil)
	c := attached(t, b, 1)
	c.create("q")
	g.hold()
	s := c.publish("q", "x")
	waitFor(t, "the entry under way", func() bool { return g.heldCount() == 1 })
	ctx, cancel := context.WithTimeout(t.Context(), testWait)
	defer cancel()
	drained := make(chan error, 1)
	go func() { drained <- b.Drain(ctx) }()
	var away transport.GoAway
	if err := away.Decode(c.nextOp(transport.OpGoAway).Payload); err != nil {
		t.Fatal(err)
	}
	if len(away.Nodes) != 1 || away.Nodes[0].Node != "b" {
		t.Fatalf("%+v", away)
	}
	connectTo(t, b).wantError(transport.CodeShuttingDown)
	select {
	case err := <-drained:
		t.Fatalf("drained with an operation under way: %v", err)
	case <-time.After(20 * time.Millisecond):
	}
	g.release(nil)
	c.wantCode(s, transport.CodeOK)
	c.close()
	if err := <-drained; err != nil {
		t.Fatal(err)
	}
}

func TestMetrics(t *testing.T) {
	g := newLeading(t, "a")
	b := startBroker(t, "a", g, nil)
	c := attached(t, b, 1)
	c.create("q")
	c.wantCode(c.publish("q", "x", "y"), transport.CodeOK)
	c.consume("q", 1)
	c.wantCode(c.settle(transport.ActionAck, c.delivery(), c.delivery()), transport.CodeOK)
	r := prometheus.NewPedanticRegistry()
	r.MustRegister(b.Collector())
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			got[f.GetName()] += m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	for name, want := range map[string]float64{
		"ferry_broker_published_messages_total": 2, "ferry_broker_confirmed_messages_total": 2,
		"ferry_broker_delivered_messages_total": 2, "ferry_broker_settles_total": 2,
		"ferry_broker_connections": 1, "ferry_broker_sessions": 1, "ferry_broker_entries_in_flight": 0,
	} {
		if got[name] != want {
			t.Errorf("%s is %v, want %v", name, got[name], want)
		}
	}
}

func TestOptions(t *testing.T) {
	_, err := New(Options{MessageMax: -1, MemoryLimit: -1, HelloTimeout: 1})
	for _, want := range []string{"Node", "Groups", "Peers", "Admin", "MessageMax", "MemoryLimit", "HelloTimeout"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not name %s", err, want)
		}
	}
}
