package client

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ferrymq/ferrymq/fsm/record"
	"github.com/ferrymq/ferrymq/transport"
)

// gather is a handler that remembers and may block.
type gather struct {
	mu   sync.Mutex
	got  []string
	gate chan struct{} // nil: never blocks
	fail map[string]error
}

func (g *gather) handle(ctx context.Context, d *Delivery) error {
	g.mu.Lock()
	g.got = append(g.got, string(d.Body))
	err := g.fail[string(d.Body)]
	g.mu.Unlock()
	if g.gate != nil {
		select {
		case <-g.gate:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return err
}

func (g *gather) bodies() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.got)
}

func consume(t *testing.T, conn *Conn, h Handler, opts ...ConsumeOption) *Consumer {
	t.Helper()
	k, err := conn.Consume(t.Context(), "q", h, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func actions(items []transport.SettleItem) (all []string) {
	names := map[transport.Action]string{
		transport.ActionAck: "ack", transport.ActionNack: "nack", transport.ActionReject: "reject", transport.ActionExtend: "extend",
	}
	for _, it := range items {
		all = append(all, fmt.Sprintf("%s %d", names[it.Action], it.Token))
	}
	return all
}

func TestHandlerSettles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		conn := c.connect()
		defer conn.Close()
		g := &gather{fail: map[string]error{
			"bad": errors.New("not now"), "worse": Permanent(errors.New("never")),
		}}
		h := func(ctx context.Context, d *Delivery) error {
			switch string(d.Body) {
			case "panic":
				panic("oops")
			case "self":
				if err := d.Nack(ctx, WithReason(ReasonDownstream), WithError("later")); err != nil {
					t.Error(err)
				}
			}
			return g.handle(ctx, d)
		}
		k := consume(t, conn, h)
		if want := (transport.Consume{Consumer: 1, Queue: "q", CreditMessages: 32, CreditBytes: 8 << 20, Concurrency: 1}); c.view().consumes[0].CreditMessages != want.CreditMessages ||
			c.view().consumes[0].Concurrency != want.Concurrency || c.view().consumes[0].CreditBytes != want.CreditBytes {
			t.Errorf("consumes %+v", c.view().consumes[0])
		}
		c.deliver(1, 10, false, "fine", "bad", "worse", "panic", "self")
		synctest.Wait()
		equal(t, "settles", actions(c.settles()), []string{"ack 10", "nack 11", "reject 12", "nack 13", "nack 14"})
		s := c.settles()
		if s[1].Error != "not now" || s[1].Reason != transport.ReasonMessage || s[2].Error != "never" ||
			s[3].Error != "panic: oops" || s[4].Reason != transport.ReasonDownstream || s[0].Incarnation != 5 || s[0].Place != 10 {
			t.Errorf("settles %+v", s)
		}
		if err := k.Stop(t.Context()); err != nil || k.Err() != nil {
			t.Errorf("stop: %v, %v", err, k.Err())
		}
		if len(c.view().cancels) != 1 || c.view().cancels[0].Return {
			t.Errorf("cancels %+v", c.view().cancels)
		}
	})
}

func TestRepeatsAreDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		conn := c.connect()
		defer conn.Close()
		g := &gather{gate: make(chan struct{})}
		consume(t, conn, g.handle)
		c.deliver(1, 10, false, "a", "b")
		c.deliver(1, 10, false, "a", "b", "c")
		synctest.Wait()
		close(g.gate)
		synctest.Wait()
		c.deliver(1, 10, false, "a") // settled already
		synctest.Wait()
		equal(t, "handled", g.bodies(), []string{"a", "b", "c"})
		equal(t, "settles", actions(c.settles()), []string{"ack 10", "ack 11", "ack 12"})
	})
}

func TestANewerLeaseEndsTheOlder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		conn := c.connect()
		defer conn.Close()
		ends := make(chan error, 2)
		consume(t, conn, func(ctx context.Context, d *Delivery) error {
			if d.Token == 10 {
				<-ctx.Done()
				ends <- context.Cause(ctx)
				ends <- d.Ack(context.Background())
			}
			return nil
		})
		c.deliver(1, 10, false, "a")
		synctest.Wait()
		fc, handle := c.attached()
		b, _ := record.Append(nil, &record.Message{Body: []byte("a")})
		fc.send(transport.OpEvents, 0, &transport.Events{Deliveries: []transport.Delivery{{
			Handle: handle, Consumer: 1, Incarnation: 5, Place: 10, Token: 99, Attempt: 2, LeaseMs: 10_000, Record: b,
		}}})
		for range 2 {
			if err := <-ends; !errors.Is(err, ErrLeaseLost) {
				t.Errorf("the older lease: %v", err)
			}
		}
		synctest.Wait()
		equal(t, "settles", actions(c.settles()), []string{"ack 99"})
	})
}

func TestLeasesAreExtended(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		conn := c.connect()
		defer conn.Close()
		g := &gather{gate: make(chan struct{})}
		consume(t, conn, g.handle, WithConcurrency(2))
		c.deliver(1, 10, false, "a", "b", "c")
		time.Sleep(4 * second)
		synctest.Wait()
		if n := len(c.settles()); n != 0 {
			t.Errorf("%d settles before half of the lease", n)
		}
		time.Sleep(18 * second)
		synctest.Wait()
		// Those started, together, every half of a lease of 10 s; not the third.
		got := actions(c.settles())
		if len(got) != 8 || slices.Contains(got, "extend 12") {
			t.Errorf("settles %v", got)
		}
		frames := 0
		for _, h := range c.view().seen {
			if h.Number > 1 {
				frames++
			}
		}
		if frames != 4 {
			t.Errorf("%d frames for %d extensions", frames, len(got))
		}
		close(g.gate)
		synctest.Wait()
	})
}

func TestALeaseRunsOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		conn := c.connect()
		defer conn.Close()
		cause := make(chan error, 1)
		consume(t, conn, func(ctx context.Context, d *Delivery) error {
			<-ctx.Done()
			cause <- context.Cause(ctx)
			return ctx.Err()
		}, WithAutoExtend(false), WithLease(10*second))
		start := time.Now()
		c.deliver(1, 10, false, "a")
		err := <-cause
		if took := time.Since(start); !errors.Is(err, ErrLeaseLost) || took < 10*second || took > 11*second {
			t.Errorf("ended after %v: %v", took, err)
		}
	})
}

// Without a link a lease holds for the session's grace, which may be longer than
// the lease. With the link it has half of its length again, and no more is said.
func TestAShortLeaseAfterALostLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		c.leaseMs = 1000
		var linked time.Time // at last; the handler waits for what comes after it
		conn := c.connect(WithStateFunc(func(s State, _ error) {
			if s == Connected {
				linked = time.Now()
			}
		}))
		defer conn.Close()
		ended := make(chan time.Duration, 1)
		consume(t, conn, func(ctx context.Context, d *Delivery) error {
			<-ctx.Done()
			ended <- time.Since(linked)
			return ctx.Err()
		}, WithAutoExtend(false))
		c.deliver(1, 10, false, "a")
		time.Sleep(900 * time.Millisecond)
		c.setDown("n1", true)
		time.Sleep(second)
		select {
		case <-ended:
			t.Error("given up within the grace of the session")
		default:
		}
		c.setDown("n1", false)
		if after := <-ended; after < 500*time.Millisecond || after > 600*time.Millisecond {
			t.Errorf("the lease ended %v after the link was back", after)
		}
	})
}

func TestCorruptMessagesAreNotHandedOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		conn := c.connect()
		defer conn.Close()
		var bad atomic.Pointer[error]
		g := &gather{}
		consume(t, conn, g.handle, WithErrorFunc(func(err error) { bad.Store(&err) }))
		fc, handle := c.attached()
		b, _ := record.Append(nil, &record.Message{Body: []byte("rotten")})
		b[len(b)-1] ^= 1
		fc.send(transport.OpEvents, 0, &transport.Events{Deliveries: []transport.Delivery{{
			Handle: handle, Consumer: 1, Incarnation: 5, Place: 1, Token: 1, Attempt: 1, LeaseMs: 10_000, Record: b,
		}}})
		c.deliver(1, 10, false, "fine")
		synctest.Wait()
		equal(t, "handled", g.bodies(), []string{"fine"})
		equal(t, "settles", actions(c.settles()), []string{"nack 1", "ack 10"})
		if err := bad.Load(); err == nil || !errors.Is(*err, ErrMalformed) || !errors.Is(*err, record.ErrChecksum) {
			t.Errorf("reported: %v", err)
		}
	})
}

func TestWithoutAcksCreditIsGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		conn := c.connect()
		defer conn.Close()
		g := &gather{}
		k := consume(t, conn, g.handle, WithoutAcks(), WithPrefetch(10))
		if !c.view().consumes[0].NoAck {
			t.Error("it asks for acks")
		}
		c.deliver(1, 1, true, "a", "b", "c", "d")
		synctest.Wait()
		if n := len(c.view().credits); n != 0 {
			t.Errorf("%d credits before half", n)
		}
		c.deliver(1, 3, true, "c", "d", "e") // with repeats
		synctest.Wait()
		equal(t, "handled", g.bodies(), []string{"a", "b", "c", "d", "e"})
		if n := len(c.view().credits); n != 1 || c.view().credits[0].Through != 5 {
			t.Errorf("credits %+v", c.view().credits)
		}
		c.deliver(1, 6, true, "f")
		time.Sleep(2 * second)
		synctest.Wait()
		if n := len(c.view().credits); n != 2 || c.view().credits[1].Through != 6 {
			t.Errorf("a rest of credit is not given back when idle: %+v", c.view().credits)
		}
		if err := k.Stop(t.Context()); err != nil || len(c.settles()) != 0 {
			t.Errorf("stop: %v, settles %v", err, c.settles())
		}
	})
}

func TestIteratorHandsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		conn := c.connect()
		defer conn.Close()
		publish(t, conn, "x")
		time.AfterFunc(second, func() { c.deliver(1, 10, false, "a", "b", "c", "d") })
		for d, err := range conn.Messages(t.Context(), "q") {
			if err != nil {
				t.Fatal(err)
			}
			if string(d.Body) == "b" {
				break // unsettled: it keeps its lease
			}
			if err := d.Ack(t.Context()); err != nil {
				t.Error(err)
			}
		}
		synctest.Wait()
		equal(t, "settles", actions(c.settles()), []string{"ack 10", "nack 12", "nack 13"})
		for _, s := range c.settles()[1:] {
			if s.Reason != transport.ReasonUnstarted {
				t.Errorf("handed back with reason %d", s.Reason)
			}
		}
		time.Sleep(30 * second) // its lease is over: the consumer is forgotten
		left := make(chan int, 1)
		if err := conn.do(t.Context(), func(m *manager) { left <- len(m.consumers) }); err != nil || <-left != 0 {
			t.Errorf("consumers left, %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), second)
		defer cancel()
		for d, err := range conn.Messages(ctx, "q") {
			if d != nil || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v, %v", d, err)
			}
		}
	})
}

// TestLimitOfCredit: what is taken and what is prefetched is never more than the
// limit, and the credit reaches it.
func TestLimitOfCredit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		conn := c.connect()
		defer conn.Close()
		if _, err := conn.Consume(t.Context(), "q", new(gather).handle, WithLimit(1)); !errors.Is(err, ErrInvalid) {
			t.Errorf("with acks: %v", err)
		}
		var consume transport.Consume
		var credit transport.Credit
		c.setHook(func(_ *fakeConn, f transport.Frame) bool {
			switch f.Op {
			case transport.OpConsume:
				c.must(consume.Decode(f.Payload))
			case transport.OpCredit:
				c.must(credit.Decode(f.Payload))
			}
			return false
		})
		k, err := conn.Consume(t.Context(), "q", new(gather).handle, WithoutAcks(), WithLimit(20))
		if err != nil {
			t.Fatal(err)
		}
		defer k.Stop(t.Context())
		if consume.CreditMessages != 8 { // of 1 MiB each
			t.Errorf("%+v", consume)
		}
		const lost = 3 // with a link, after the fifth
		for i := range uint64(20) {
			number, want := i+1, min(i+1, 12)
			if i >= 5 {
				number, want = number+lost, want+lost
			}
			c.deliver(consume.Consumer, number, true, "x")
			time.Sleep(2 * creditIdle)
			synctest.Wait()
			if credit.Through != want {
				t.Fatalf("after %d: %+v, want %d", i+1, credit, want)
			}
		}
	})
}
