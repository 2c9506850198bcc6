package client

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/ferrymq/ferrymq/transport"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func publish(t *testing.T, conn *Conn, body string) Receipt {
	t.Helper()
	r, err := conn.Publish(t.Context(), "q", Message{Body: []byte(body)})
	if err != nil {
		t.Fatalf("publish %s: %v", body, err)
	}
	return r
}

func equal[T comparable](t *testing.T, what string, got, want []T) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// The answers of operations are lost with the link: they are sent again under
// their numbers, in order, and applied once.
func TestSendsAgainUnderTheSameNumbers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1", "n2")
		conn := c.connect()
		defer conn.Close()
		publish(t, conn, "first")
		var lost atomic.Int32
		c.setHook(func(fc *fakeConn, f transport.Frame) bool {
			if f.Op != transport.OpPublish {
				return false
			}
			n := lost.Add(1)
			if n == 1 { // applied, and the answer is lost
				h, _ := transport.DecodeOpHeader(f.Payload)
				c.mu.Lock()
				s := c.session(fc, h.Handle)
				r := fc.apply(f)
				s.judged, s.kept[h.Number] = h.Number, r
				c.mu.Unlock()
			}
			return n <= 2 // the second one is lost before it is applied
		})
		results := make(chan error, 3)
		for _, body := range []string{"x", "y", "z"} {
			go func() {
				_, err := conn.Publish(t.Context(), "q-"+body, Message{Body: []byte(body)})
				results <- err
			}()
			synctest.Wait()
		}
		c.setHook(nil)
		c.cut("")
		for range 3 {
			if err := <-results; err != nil {
				t.Error(err)
			}
		}
		// The third was judged before the second, which is overtaken and goes
		// under a new number.
		got := c.bodies()
		slices.Sort(got)
		equal(t, "applied", got, []string{"first", "x", "y", "z"})
	})
}

func TestAsksAgainAfterAnUnknownOutcome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		conn := c.connect()
		defer conn.Close()
		publish(t, conn, "a")
		once := true
		c.setHook(func(fc *fakeConn, f transport.Frame) bool {
			if f.Op == transport.OpPublish && once {
				once = false
				fc.answer(f.Stream, transport.Result{Code: transport.CodeUnknownOutcome})
				return true
			}
			return false
		})
		publish(t, conn, "b")
		if h := c.view().lastSeen(); h.Number != 2 || h.AnsweredThrough != 1 || len(c.view().attaches) != 2 {
			t.Errorf("sent again as %+v after %d attaches", h, len(c.view().attaches))
		}
		if c.view().attaches[1].Epoch != 1 {
			t.Errorf("epoch %d on the same connection", c.view().attaches[1].Epoch)
		}
	})
}

func TestSessionExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		conn := c.connect()
		defer conn.Close()
		publish(t, conn, "a")
		before, _ := conn.Session()
		c.setHook(func(fc *fakeConn, f transport.Frame) bool { return f.Op == transport.OpPublish })
		sent := make(chan error, 1)
		go func() {
			_, err := conn.Publish(t.Context(), "q", Message{Body: []byte("lost")})
			sent <- err
		}()
		synctest.Wait()
		c.expire()
		c.setHook(nil)
		c.cut("")
		err := <-sent
		if !errors.Is(err, ErrSessionExpired) || !errors.Is(err, ErrUnknownOutcome) {
			t.Errorf("an operation whose session expired: %v", err)
		}
		publish(t, conn, "b")
		if after, _ := conn.Session(); after == before {
			t.Error("the session is the same")
		}
		// The answer itself says so: sent once, it was certainly not applied.
		c.expire()
		_, err = conn.Publish(t.Context(), "q", Message{})
		if !errors.Is(err, ErrSessionExpired) || errors.Is(err, ErrUnknownOutcome) {
			t.Errorf("an operation refused with session_expired: %v", err)
		}
		publish(t, conn, "c")
		equal(t, "applied", c.bodies(), []string{"a", "b", "c"})
	})
}

func TestFencedIsFinal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		first := c.connect()
		defer first.Close()
		publish(t, first, "a")
		second := c.connect(WithSession(first.Session()))
		defer second.Close()
		publish(t, second, "b")
		if _, err := first.Publish(t.Context(), "q", Message{}); !errors.Is(err, ErrFenced) {
			t.Errorf("publish after the takeover: %v", err)
		}
		c.cut("")
		synctest.Wait()
		for range 2 {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			if _, err := first.Publish(ctx, "q", Message{}); err == nil {
				t.Error("published by a fenced session")
			}
			cancel()
		}
		publish(t, second, "c")
		last := c.view().lastSeen()
		if last.Number < 3 {
			t.Errorf("numbers began anew: %d", last.Number)
		}
	})
}

func TestTakesOverASession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		id, secret := [16]byte{1}, [16]byte{2}
		for i := range 3 { // nobody knows it at first, then somebody holds it
			conn := c.connect(WithSession(id, secret))
			publish(t, conn, fmt.Sprint(i))
			if got, _ := conn.Session(); got != id {
				t.Errorf("the session is %x", got)
			}
			conn.Close()
		}
		if c.view().ended != 0 || c.view().sessions != 1 {
			t.Errorf("%d ended, %d left", c.view().ended, c.view().sessions)
		}
		equal(t, "applied", c.bodies(), []string{"0", "1", "2"})
		if s := c.sessions[id]; s.judged != 3 || s.epoch < 3 {
			t.Errorf("judged %d in epoch %d", s.judged, s.epoch)
		}
		bad := c.connect(WithSession(id, [16]byte{9}))
		defer bad.Close()
		if _, err := bad.Publish(t.Context(), "q", Message{}); !errors.Is(err, ErrDenied) {
			t.Errorf("wrong secret: %v", err)
		}
	})
}

// Overload of the window: never more than its operations are under way.
func TestWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		conn := c.connect()
		defer conn.Close()
		publish(t, conn, "a")
		var held []func()
		c.setHook(func(fc *fakeConn, f transport.Frame) bool {
			if f.Op == transport.OpPublish {
				c.mu.Lock()
				held = append(held, func() { fc.take(f) })
				c.mu.Unlock()
				return true
			}
			return false
		})
		const n = transport.WindowMax + 50
		var confirmed atomic.Int32
		for i := range n { // a queue each: an operation each
			err := conn.PublishAsync(t.Context(), fmt.Sprintf("q%d", i), Message{}, func(_ Receipt, err error) {
				if err == nil {
					confirmed.Add(1)
				}
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if got := read(c, func() int { return len(held) }); got != transport.WindowMax {
			t.Errorf("%d operations under way", got)
		}
		c.setHook(nil)
		for _, take := range held {
			take()
		}
		if err := conn.Flush(t.Context()); err != nil || confirmed.Load() != n {
			t.Errorf("%d of %d confirmed, %v", confirmed.Load(), n, err)
		}
	})
}

func TestGoAwayAndSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1", "n2")
		conn := c.connect(WithHeartbeat(second))
		defer conn.Close()
		publish(t, conn, "a")
		fc, _ := c.attached()
		c.setLeader("n2")
		fc.send(transport.OpGoAway, 0, transport.GoAway{Message: "leaving"})
		synctest.Wait()
		publish(t, conn, "b")
		if conn.Node() != "n2" {
			t.Errorf("connected to %q", conn.Node())
		}
		// A node that says nothing any more, not even Pong.
		c.setHook(func(fc *fakeConn, f transport.Frame) bool { return fc.node.name == "n2" })
		c.setLeader("n1")
		start := time.Now()
		publish(t, conn, "c")
		if took := time.Since(start); took > 12*time.Second {
			t.Errorf("a silent node was left after %v", took)
		}
	})
}

// What another process left in the session is used or cancelled.
func TestConsumersOfAFormerHolder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		conn := c.connect(WithSession([16]byte{1}, [16]byte{2}))
		defer conn.Close()
		conflicts := 2
		c.setVerdict(func(op transport.Op, _ []byte) *transport.Result {
			if op != transport.OpConsume || conflicts == 0 {
				return nil
			}
			conflicts--
			return &transport.Result{Code: transport.CodeConflict}
		})
		g := &gather{}
		consume(t, conn, g.handle)
		c.deliver(3, 10, false, "mine")
		c.deliver(1, 20, false, "theirs")
		synctest.Wait()
		equal(t, "handled", g.bodies(), []string{"mine"})
		v := c.view()
		if len(v.cancels) != 1 || v.cancels[0].Consumer != 1 || !v.cancels[0].Return {
			t.Errorf("cancels %+v", v.cancels)
		}
	})
}

// A node that takes connections and breaks them is not asked without a pause.
func TestPausesBetweenLinksThatBreak(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		conn := c.connect()
		defer conn.Close()
		var links atomic.Int32
		c.setHook(func(fc *fakeConn, f transport.Frame) bool {
			switch f.Op {
			case transport.OpHello:
				links.Add(1)
			case transport.OpOpen:
				fc.send(transport.OpError, 0, transport.Errorf(transport.CodeLimit, "go away"))
				return true
			}
			return false
		})
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		_, err := conn.Publish(ctx, "q", Message{})
		if !errors.Is(err, ErrLimit) || !errors.Is(err, ErrTimeout) {
			t.Errorf("publish: %v", err)
		}
		if n := links.Load(); n < 10 || n > 60 {
			t.Errorf("%d links in 2 s", n)
		}
	})
}

// TestSessionExpiryIsAsked: a session is opened with the expiry that was asked for.
func TestSessionExpiryIsAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for asked, want := range map[time.Duration]uint32{0: 0, MinSessionExpiry: 1_000, MaxSessionExpiry: 604_800_000} {
			c := newFakeCluster(t, "n1")
			conn := c.connect(WithSessionExpiry(asked))
			publish(t, conn, "a")
			if len(c.opens) != 1 || c.opens[0].IdleExpiryMs != want {
				t.Errorf("%v: %+v", asked, c.opens)
			}
			conn.Close()
		}
		for _, d := range []time.Duration{-time.Second, MinSessionExpiry - 1, MaxSessionExpiry + 1} {
			if _, err := Dial(t.Context(), "ferry://n1:7700", WithSessionExpiry(d)); !errors.Is(err, ErrInvalid) {
				t.Errorf("%v: %v", d, err)
			}
		}
	})
}
