package client

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ferrymq/ferrymq/transport"
)

// outcomes of asynchronous acks.
type outcomes struct {
	mu   sync.Mutex
	errs []error
}

func (o *outcomes) add(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.errs = append(o.errs, err)
}

func (o *outcomes) all() []error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]error{}, o.errs...)
}

func TestAckAsyncThatIsNotAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		conn := c.connect(WithRequestTimeout(3 * second))
		defer conn.Close()
		var told outcomes
		consume(t, conn, func(_ context.Context, d *Delivery) error {
			d.AckAsync(told.add)
			return nil
		})
		c.setHook(func(_ *fakeConn, f transport.Frame) bool { return f.Op == transport.OpSettle })
		c.deliver(1, 10, false, "a")
		time.Sleep(second)
		c.deliver(1, 11, false, "b") // in another frame
		time.Sleep(1900 * time.Millisecond)
		if n := len(told.all()); n != 0 {
			t.Errorf("%d told early", n)
		}
		time.Sleep(200 * time.Millisecond)
		if n := len(told.all()); n != 1 {
			t.Errorf("%d of 1 told", n)
		}
		time.Sleep(second)
		errs := told.all()
		if len(errs) != 2 || !errors.Is(errs[0], ErrUnknownOutcome) || !errors.Is(errs[1], ErrUnknownOutcome) {
			t.Fatalf("told %v", errs)
		}
		flushed := make(chan error, 1)
		go func() { flushed <- conn.Flush(t.Context()) }()
		synctest.Wait()
		select {
		case <-flushed:
			t.Error("flushed before the acks were answered")
		default:
		}
		c.setHook(nil)
		c.cut("")
		if err := <-flushed; err != nil {
			t.Error(err)
		}
		equal(t, "settles", actions(c.settles()), []string{"ack 10", "ack 11"})
		if n := len(told.all()); n != 2 {
			t.Errorf("told %d times", n)
		}
	})
}

func TestAckAsyncThatIsNotSent(t *testing.T) {
	for name, now := range map[string]struct {
		again bool // its user tries once more
		stay  bool // its handler is still at work then
		want  string
	}{
		"its handler has returned":   {want: "nack 10"},
		"its user tries again":       {again: true, want: "ack 10"},
		"its handler returns later":  {stay: true, want: "ack 10"},
		"and its user tries as well": {stay: true, again: true, want: "ack 10"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newFakeCluster(t, "n1")
				conn := c.connect(WithRequestTimeout(3 * second))
				defer conn.Close()
				var told outcomes
				consume(t, conn, func(_ context.Context, d *Delivery) error {
					c.setDown("n1", true)
					time.Sleep(100 * time.Millisecond) // until that is known
					d.AckAsync(func(err error) {
						told.add(err)
						if now.again {
							d.AckAsync(told.add)
						}
					})
					if now.stay {
						time.Sleep(4 * second)
					}
					return nil
				})
				c.deliver(1, 10, false, "a")
				time.Sleep(4 * second)
				errs := told.all()
				if len(errs) != 1 || !errors.Is(errs[0], ErrTimeout) || errors.Is(errs[0], ErrUnknownOutcome) {
					t.Fatalf("told %v", errs)
				}
				time.Sleep(second)
				c.setDown("n1", false)
				if err := conn.Flush(t.Context()); err != nil {
					t.Error(err)
				}
				equal(t, "settles", actions(c.settles()), []string{now.want})
				if s := c.settles()[0]; s.Action == transport.ActionNack && s.Reason != transport.ReasonShutdown {
					t.Errorf("given back for reason %d, as if its handler had not run", s.Reason)
				}
			})
		})
	}
}

// What a consumer settles for its handler has no time: nobody would do it again.
func TestAckOfAHandlerWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		conn := c.connect(WithRequestTimeout(second))
		defer conn.Close()
		var told outcomes
		consume(t, conn, func(context.Context, *Delivery) error {
			c.setDown("n1", true)
			time.Sleep(100 * time.Millisecond)
			return nil
		}, WithErrorFunc(told.add))
		c.deliver(1, 10, false, "a")
		time.Sleep(5 * second)
		c.setDown("n1", false)
		time.Sleep(2 * second)
		equal(t, "settles", actions(c.settles()), []string{"ack 10"})
		if errs := told.all(); len(errs) != 0 {
			t.Errorf("told %v", errs)
		}
	})
}

// A handler that gives its message back, and cannot in time, has not said that
// the message is done: what it asked for is asked for again.
func TestFailedNackOfAHandlerIsNoAck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		conn := c.connect()
		defer conn.Close()
		var nacked error
		consume(t, conn, func(_ context.Context, d *Delivery) error {
			c.setDown("n1", true)
			time.Sleep(100 * time.Millisecond)
			ctx, cancel := context.WithTimeout(t.Context(), second)
			defer cancel()
			nacked = d.Nack(ctx)
			return nil
		})
		c.deliver(1, 10, false, "a")
		time.Sleep(5 * second)
		c.setDown("n1", false)
		time.Sleep(2 * second)
		if !errors.Is(nacked, ErrTimeout) {
			t.Errorf("nack: %v", nacked)
		}
		equal(t, "settles", actions(c.settles()), []string{"nack 10"})
	})
}
