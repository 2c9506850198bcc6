package client

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ferrymq/ferrymq/transport"
)

func TestStopWaitsForHandlers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		conn := c.connect()
		defer conn.Close()
		g := &gather{gate: make(chan struct{})}
		k := consume(t, conn, g.handle)
		c.deliver(1, 10, false, "a", "b", "c")
		synctest.Wait()
		stopped := make(chan error, 1)
		go func() { stopped <- k.Stop(t.Context()) }()
		synctest.Wait()
		select {
		case <-k.Done():
			t.Fatal("done before its handler")
		default:
		}
		close(g.gate)
		if err := <-stopped; err != nil {
			t.Error(err)
		}
		got := actions(c.settles())
		slices.Sort(got)
		equal(t, "settles", got, []string{"ack 10", "nack 11", "nack 12"})
		equal(t, "handled", g.bodies(), []string{"a"})
	})
}

func TestStopGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		conn := c.connect()
		defer conn.Close()
		g := &gather{gate: make(chan struct{})}
		k := consume(t, conn, g.handle)
		c.deliver(1, 10, false, "a", "b")
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), second)
		defer cancel()
		if err := k.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("stop: %v", err)
		}
		<-k.Done()
		synctest.Wait()
		if n := len(c.view().cancels); n != 2 || !c.view().cancels[1].Return {
			t.Errorf("cancels %+v", c.view().cancels)
		}
		// A nack would come before it, and a request without retry go on.
		if n := len(c.settles()); n > 1 { // of b, which was not begun with
			t.Errorf("%d settles beside it", n)
		}
	})
}

// backwards is a context that tells of its end those first who asked last.
type backwards struct {
	context.Context
	mu   sync.Mutex
	end  []func()
	done chan struct{}
}

func (b *backwards) Done() <-chan struct{} { return b.done }

func (b *backwards) Err() error {
	select {
	case <-b.done:
		return context.Canceled
	default:
		return nil
	}
}

func (b *backwards) AfterFunc(f func()) func() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.end = append(b.end, f)
	return func() bool { return true }
}

func (b *backwards) cancel() {
	close(b.done)
	b.mu.Lock()
	end := slices.Clone(b.end)
	b.mu.Unlock()
	slices.Reverse(end)
	for _, f := range end {
		f()
		synctest.Wait()
	}
}

// A consumer tells that its context ended although its own, which is derived
// from that, ends a moment later.
func TestConsumerTellsOfItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		conn := c.connect()
		defer conn.Close()
		ctx := &backwards{Context: t.Context(), done: make(chan struct{})}
		k, err := conn.Consume(ctx, "q", new(gather).handle)
		if err != nil {
			t.Fatal(err)
		}
		ctx.cancel()
		<-k.Done()
		if !errors.Is(k.Err(), context.Canceled) {
			t.Errorf("ended by %v", k.Err())
		}
	})
}

// What a handler was at work on when its consumer's context ended may be half
// done, what was only prefetched is not.
func TestReasonsOfWhatAConsumerGivesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		conn := c.connect()
		defer conn.Close()
		ctx, cancel := context.WithCancel(t.Context())
		g := &gather{gate: make(chan struct{})} // nothing is let through
		k, err := conn.Consume(ctx, "q", g.handle)
		if err != nil {
			t.Fatal(err)
		}
		c.deliver(1, 10, false, "a", "b")
		synctest.Wait()
		cancel()
		<-k.Done()
		reasons := map[uint64]transport.Reason{}
		for _, s := range c.settles() {
			reasons[s.Token] = s.Reason
		}
		want := map[uint64]transport.Reason{10: transport.ReasonShutdown, 11: transport.ReasonUnstarted}
		if got := g.bodies(); !slices.Equal(got, []string{"a"}) {
			t.Errorf("%v were begun with", got)
		}
		if !maps.Equal(reasons, want) {
			t.Errorf("reasons %v, want %v", reasons, want)
		}
	})
}

func TestConsumerEndsWithItsContextAndQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		conn := c.connect()
		defer conn.Close()
		ctx, cancel := context.WithCancel(t.Context())
		g := &gather{}
		k, err := conn.Consume(ctx, "q", g.handle)
		if err != nil {
			t.Fatal(err)
		}
		cancel()
		<-k.Done()
		if !errors.Is(k.Err(), context.Canceled) {
			t.Errorf("ended by %v", k.Err())
		}
		k = consume(t, conn, g.handle)
		fc, handle := c.attached()
		fc.send(transport.OpEvents, 0, &transport.Events{Closed: []transport.Closed{{Handle: handle, Consumer: 2, Code: transport.CodeNotFound}}})
		<-k.Done()
		if !errors.Is(k.Err(), ErrNotFound) {
			t.Errorf("ended by %v", k.Err())
		}
		c.setVerdict(func(transport.Op, []byte) *transport.Result {
			return &transport.Result{Code: transport.CodeNotFound}
		})
		if _, err := conn.Consume(t.Context(), "none", g.handle); !errors.Is(err, ErrNotFound) {
			t.Errorf("no such queue: %v", err)
		}
	})
}

func TestConsumersSurvive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1", "n2")
		conn := c.connect()
		defer conn.Close()
		g := &gather{gate: make(chan struct{}, 10)}
		lost := make(chan error, 1)
		consume(t, conn, func(ctx context.Context, d *Delivery) error {
			err := g.handle(ctx, d)
			if err != nil {
				lost <- context.Cause(ctx)
			}
			return err
		})
		c.deliver(1, 10, false, "a", "b")
		synctest.Wait()
		c.cut("")
		publish(t, conn, "x")
		last := c.view().lastAttach()
		equal(t, "tokens held", last.Tokens, []uint64{10, 11})
		if n := len(c.view().consumes); n != 1 {
			t.Errorf("%d consumers made", n)
		}
		g.gate <- struct{}{}
		synctest.Wait()
		equal(t, "settles", actions(c.settles()), []string{"ack 10"})

		c.expire()
		c.cut("")
		if err := <-lost; !errors.Is(err, ErrLeaseLost) || !errors.Is(err, ErrSessionExpired) {
			t.Errorf("lost with its session: %v", err)
		}
		synctest.Wait()
		if n := len(c.view().consumes); n != 2 {
			t.Errorf("%d consumers made", n)
		}
		c.deliver(1, 20, false, "c")
		g.gate <- struct{}{}
		synctest.Wait()
		equal(t, "handled", g.bodies(), []string{"a", "b", "c"})
		equal(t, "settles", actions(c.settles()), []string{"ack 10", "ack 20"})
	})
}

func TestDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		conn := c.connect()
		g := &gather{gate: make(chan struct{})}
		k := consume(t, conn, g.handle)
		c.deliver(1, 10, false, "a", "b")
		synctest.Wait()
		time.AfterFunc(second, func() { close(g.gate) })
		if err := conn.Drain(t.Context()); err != nil {
			t.Error(err)
		}
		<-k.Done()
		got := actions(c.settles())
		slices.Sort(got)
		equal(t, "settles", got, []string{"ack 10", "nack 11"})
		synctest.Wait() // until the node has read it
		if conn.State() != Closed || c.view().ended != 1 {
			t.Errorf("%v, %d sessions given up", conn.State(), c.view().ended)
		}
	})
}

func TestAcksAtTheEndCallBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		conn := c.connect()
		deliveries := make(chan *Delivery, 2)
		consume(t, conn, func(_ context.Context, d *Delivery) error {
			deliveries <- d
			<-t.Context().Done()
			return nil
		}, WithConcurrency(2))
		c.deliver(1, 10, false, "a", "b")
		underWay, late := <-deliveries, <-deliveries
		told := make(chan error, 2)
		c.setVerdict(func(transport.Op, []byte) *transport.Result {
			return &transport.Result{Code: transport.CodeUnknownOutcome} // asked again for ever
		})
		underWay.AckAsync(func(err error) { told <- err })
		synctest.Wait()
		if err := conn.Close(); err != nil {
			t.Fatal(err)
		}
		if err := <-told; !errors.Is(err, ErrUnknownOutcome) || !errors.Is(err, ErrClosed) {
			t.Errorf("acked before the end: %v", err)
		}
		synctest.Wait() // the notifier has ended
		late.AckAsync(func(err error) { told <- err })
		if err := <-told; err == nil {
			t.Error("acked after the end")
		}
	})
}
