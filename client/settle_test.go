package client

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/ferrymq/ferrymq/transport"
)

func TestSettlesAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		conn := c.connect()
		defer conn.Close()
		var errs []error
		var mu sync.Mutex
		g := &gather{}
		consume(t, conn, g.handle, WithErrorFunc(func(err error) {
			mu.Lock()
			defer mu.Unlock()
			errs = append(errs, err)
		}))
		c.setVerdict(func(op transport.Op, _ []byte) *transport.Result {
			return &transport.Result{Code: transport.CodeLeaseLost, Cause: transport.CauseSessionEnded}
		})
		c.deliver(1, 10, false, "a")
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		var e *Error
		if len(errs) != 1 || !errors.Is(errs[0], ErrLeaseLost) || !errors.As(errs[0], &e) || e.Cause != transport.CauseSessionEnded {
			t.Errorf("errors %v", errs)
		}
	})
}

func TestAcksShareFramesAndCallBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		conn := c.connect()
		defer conn.Close()
		var acked atomic.Int32
		n := 0
		consumed := make(chan struct{})
		go func() {
			defer close(consumed)
			for d, err := range conn.Messages(t.Context(), "q", WithPrefetch(4000)) {
				if err != nil {
					t.Error(err)
					return
				}
				d.AckAsync(func(err error) {
					if err == nil {
						acked.Add(1)
					}
				})
				if n++; n == 3000 {
					return
				}
			}
		}()
		synctest.Wait()
		for i := range 3 {
			c.deliver(1, uint64(1000*i+1), false, slices.Repeat([]string{"x"}, 1000)...)
		}
		<-consumed
		if err := conn.Flush(t.Context()); err != nil || acked.Load() != 3000 {
			t.Errorf("%d acked, %v", acked.Load(), err)
		}
		if frames := len(c.view().seen); frames > 200 {
			t.Errorf("3000 acks in %d frames", frames)
		}
	})
}

// The context of a delivery ends with its settle. Who waits for the answer on
// that context must find the answer then, not an unknown outcome.
func TestSettleWithTheDeliverysContext(t *testing.T) {
	k := newConsumer(t.Context(), &Conn{}, "q", nil, consumeOptions{})
	d := &Delivery{Queue: "q", k: k, state: stateSettling}
	s := d.newSettle("ack", transport.SettleItem{Action: transport.ActionAck})
	s.answer = make(chan error, 1)
	ctx := d.Context()
	d.settled(s, nil)
	<-ctx.Done()
	select {
	case err := <-s.answer:
		if err != nil {
			t.Error(err)
		}
	default:
		t.Error("the context ended before the answer was there")
	}
}

func TestSettleContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		conn := c.connect()
		defer conn.Close()
		done := make(chan struct{})
		consume(t, conn, func(_ context.Context, d *Delivery) error {
			defer close(done)
			c.setHook(func(_ *fakeConn, f transport.Frame) bool { return f.Op == transport.OpSettle })
			ctx, cancel := context.WithTimeout(context.Background(), second)
			defer cancel()
			if err := d.Ack(ctx); !errors.Is(err, ErrUnknownOutcome) || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("ack after it was sent: %v", err)
			}
			if err := d.Ack(context.Background()); !errors.Is(err, ErrLeaseLost) {
				t.Errorf("second ack: %v", err)
			}
			return nil
		})
		c.deliver(1, 10, false, "a")
		<-done
		c.setHook(nil)
		c.cut("")
		synctest.Wait()
		equal(t, "settles", actions(c.settles()), []string{"ack 10"})
	})
}

// TestErrorsAreTexts: a text that ends within a character, or quotes bytes that are
// none, is no text to nodes and other clients.
func TestErrorsAreTexts(t *testing.T) {
	long := "x" + strings.Repeat("é", transport.ErrorTextMax)
	nacked, err := nackOf([]NackOption{WithError(long)})
	if err != nil {
		t.Fatal(err)
	}
	want := long[:transport.ErrorTextMax-1] // within the last of them
	for _, item := range []transport.SettleItem{nacked, rejectItem(long)} {
		if item.Error != want {
			t.Errorf("kept %d bytes, ending in %q", len(item.Error), item.Error[len(item.Error)-2:])
		}
	}
	if got := rejectItem("bad key \xff\xfe!").Error; got != "bad key \uFFFD!" {
		t.Errorf("bytes that are no text: %q", got)
	}
	if whole := strings.Repeat("é", transport.ErrorTextMax/2); rejectItem(whole).Error != whole {
		t.Error("what fits was cut")
	}
}
