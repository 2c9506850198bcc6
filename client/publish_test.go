package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ferrymq/ferrymq/transport"
)

func TestCallbacksComeInPublishOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		conn := c.connect()
		defer conn.Close()
		var got, want []string
		var again sync.WaitGroup
		for i := range 5000 {
			name := fmt.Sprint(i)
			want = append(want, name)
			err := conn.PublishAsync(t.Context(), fmt.Sprintf("q%d", i%7), Message{Body: []byte(name)},
				func(r Receipt, err error) {
					if err != nil || r.ID.Index == 0 {
						t.Errorf("message %s: %v, %v", name, r, err)
					}
					got = append(got, name)
					if i == 100 { // a callback may publish
						again.Add(1)
						if err := conn.PublishAsync(t.Context(), "q", Message{}, func(Receipt, error) { again.Done() }); err != nil {
							t.Error(err)
						}
					}
				})
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := conn.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		again.Wait()
		equal(t, "callbacks", got, want)
		if n := len(c.bodies()); n != 5001 {
			t.Errorf("%d applied", n)
		}
	})
}

func TestMessagesShareFrames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		conn := c.connect()
		defer conn.Close()
		publish(t, conn, "first")
		var frames []int
		c.setHook(func(_ *fakeConn, f transport.Frame) bool {
			if f.Op == transport.OpPublish {
				time.Sleep(5 * time.Millisecond) // a commit takes its time
				frames = append(frames, len(f.Payload))
			}
			return false
		})
		body := bytes.Repeat([]byte("x"), 1024)
		for range 2000 {
			if err := conn.PublishAsync(t.Context(), "q", Message{Body: body}, nil); err != nil {
				t.Fatal(err)
			}
		}
		if err := conn.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(frames) > 30 {
			t.Errorf("2000 messages in %d frames", len(frames))
		}
		for _, n := range frames {
			if n > batchBytes+1024 {
				t.Errorf("a frame of %d bytes", n)
			}
		}
	})
}

func TestBatchHasOneResultForEach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		conn := c.connect(WithMaxInFlight(500, 1<<20))
		defer conn.Close()
		ms := make([]Message, 2500)
		for i := range ms {
			ms[i] = Message{Body: []byte(fmt.Sprint(i))}
		}
		ms[7].CorrelationID = strings.Repeat("x", 300)
		results, err := conn.PublishBatch(t.Context(), "q", ms)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[MessageID]bool{}
		for i, r := range results {
			if i == 7 {
				if !errors.Is(r.Err, ErrTooLarge) {
					t.Errorf("message 7: %v", r.Err)
				}
				continue
			}
			if r.Err != nil || seen[r.ID] {
				t.Errorf("message %d: %v, id %v", i, r.Err, r.ID)
			}
			seen[r.ID] = true
		}
		for i, body := range c.bodies() {
			if want := i; want >= 7 && body != fmt.Sprint(want+1) || want < 7 && body != fmt.Sprint(want) {
				t.Fatalf("message %d is %s", i, body)
			}
		}
	})
}

// A queue that makes room gets further with each try, so the pauses do not grow.
func TestRoomIsMadeByTrying(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		conn := c.connect()
		defer conn.Close()
		tries := 0
		c.setVerdict(func(op transport.Op, _ []byte) *transport.Result {
			if tries++; tries%40 == 0 {
				return nil
			}
			return &transport.Result{Code: transport.CodeBusy, Cause: transport.CauseRoom, RetryAfterMs: 50}
		})
		for name, try := range map[string]func() error{
			"publish": func() error { return errorOf(conn.Publish(t.Context(), "q", Message{})) },
			"commit": func() error {
				tx := conn.NewTx()
				tx.Publish("q", Message{})
				return errorOf(tx.Commit(t.Context()))
			},
		} {
			start := time.Now()
			if err := try(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if took := time.Since(start); took < 39*50*time.Millisecond || took > 39*60*time.Millisecond {
				t.Errorf("%s took %v", name, took)
			}
		}
		told := make(chan error, 1)
		if err := conn.PublishAsync(t.Context(), "q", Message{}, func(_ Receipt, err error) { told <- err }); err != nil {
			t.Fatal(err)
		}
		if err := <-told; !errors.Is(err, ErrMakingRoom) || errors.Is(err, ErrQueueFull) || !strings.Contains(err.Error(), "drops many old messages") {
			t.Errorf("%v", err)
		}
	})
}

// TestTooLargeForItsQueue: what the queue could never hold is told at once, with
// its limit. Nobody tries it again.
func TestTooLargeForItsQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		conn := c.connect()
		defer conn.Close()
		const limit = "queue q cannot hold a message that large: its limit is 30 bytes"
		c.setVerdict(func(transport.Op, []byte) *transport.Result {
			return &transport.Result{Code: transport.CodeTooLarge, Detail: limit}
		})
		start := time.Now()
		_, err := conn.Publish(t.Context(), "q", Message{})
		if !errors.Is(err, ErrTooLarge) || errors.Is(err, ErrBusy) || !strings.Contains(err.Error(), limit) {
			t.Errorf("%v", err)
		}
		if took := time.Since(start); took > busyInitial {
			t.Errorf("it took %v", took)
		}
		if last := c.view().lastSeen(); last.Number != 1 {
			t.Errorf("the last try was %+v", last)
		}
	})
}

func TestBusyIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		conn := c.connect()
		defer conn.Close()
		busy := 3
		c.setVerdict(func(op transport.Op, _ []byte) *transport.Result {
			if op != transport.OpPublish || busy == 0 {
				return nil
			}
			busy--
			return &transport.Result{Code: transport.CodeBusy, Cause: transport.CauseMessages, RetryAfterMs: 100}
		})
		start := time.Now()
		publish(t, conn, "a")
		if took := time.Since(start); took < 300*time.Millisecond {
			t.Errorf("retry_after was not honoured: %v", took)
		}
		last := c.view().lastSeen()
		if last.Number != 4 || last.AnsweredThrough != 3 {
			t.Errorf("the last try was %+v", last)
		}
		c.mu.Lock()
		busy = 1 << 30
		c.mu.Unlock()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := conn.Publish(ctx, "q", Message{})
		var e *Error
		if !errors.Is(err, ErrBusy) || !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &e) ||
			e.Cause != transport.CauseMessages || e.RetryAfter != 100*time.Millisecond {
			t.Errorf("busy to the end: %v", err)
		}
		told := make(chan error, 1)
		if err := conn.PublishAsync(t.Context(), "q", Message{}, func(_ Receipt, err error) { told <- err }); err != nil {
			t.Fatal(err)
		}
		if err := <-told; !errors.Is(err, ErrBusy) {
			t.Errorf("asynchronous: %v", err)
		}
	})
}

func TestOneVerdictForEachMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		conn := c.connect()
		defer conn.Close()
		c.setVerdict(func(op transport.Op, _ []byte) *transport.Result {
			if op != transport.OpPublish {
				return nil
			}
			return &transport.Result{Items: []transport.Verdict{
				{Code: transport.CodeOK}, {Code: transport.CodeDuplicate}, {Code: transport.CodeUnsupported}, {Code: transport.CodeDropped},
			}}
		})
		rs, err := conn.PublishBatch(t.Context(), "q", make([]Message, 4))
		if err != nil {
			t.Fatal(err)
		}
		if rs[0].Err != nil || !rs[1].Duplicate || !errors.Is(rs[2].Err, ErrUnsupported) || !rs[3].Dropped || rs[3].Err != nil {
			t.Errorf("results %+v", rs)
		}
		if rs[1].ID.Position != rs[0].ID.Position+1 {
			t.Errorf("ids %v and %v", rs[0].ID, rs[1].ID)
		}
	})
}

func TestContextOfAPublish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		conn := c.connect()
		defer conn.Close()
		publish(t, conn, "a")
		var late func()
		c.setHook(func(fc *fakeConn, f transport.Frame) bool {
			if f.Op == transport.OpPublish {
				late = func() { fc.take(f) }
				return true
			}
			return false
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := conn.Publish(ctx, "q", Message{Body: []byte("b")})
		if !errors.Is(err, ErrUnknownOutcome) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("after it was sent: %v", err)
		}
		c.setHook(nil)
		publish(t, conn, "c")
		if h := c.view().lastSeen(); h.AnsweredThrough != 1 {
			t.Errorf("answered_through passed an unanswered operation: %+v", h)
		}
		late()
		synctest.Wait()
		publish(t, conn, "d")
		// The late one was overtaken and went again under a new number; once
		// that is answered nothing is open.
		time.Sleep(time.Second)
		publish(t, conn, "e")
		if h := c.view().lastSeen(); h.AnsweredThrough != h.Number-1 {
			t.Errorf("something stayed open: %+v", h)
		}

		// What was never sent is taken back for certain.
		c.setDown("n1", true)
		synctest.Wait()
		ctx, cancel = context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = conn.Publish(ctx, "q", Message{Body: []byte("never")})
		if !errors.Is(err, ErrTimeout) || errors.Is(err, ErrUnknownOutcome) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("before it was sent: %v", err)
		}
		told := make(chan error, 1)
		if err := conn.PublishAsync(t.Context(), "q", Message{Body: []byte("never")}, func(_ Receipt, err error) { told <- err }); err != nil {
			t.Fatal(err)
		}
		if err := <-told; !errors.Is(err, ErrTimeout) || errors.Is(err, ErrUnknownOutcome) {
			t.Errorf("asynchronous, before it was sent: %v", err)
		}
		c.setDown("n1", false)
		publish(t, conn, "f")
		for _, body := range c.bodies() {
			if body == "never" {
				t.Error("what was taken back was sent")
			}
		}
	})
}

func TestFullWindowBlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		conn := c.connect(WithMaxInFlight(10, 1<<20))
		defer conn.Close()
		publish(t, conn, "a")
		c.setHook(func(_ *fakeConn, f transport.Frame) bool { return f.Op == transport.OpPublish })
		for range 10 {
			if err := conn.PublishAsync(t.Context(), "q", Message{}, nil); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := conn.PublishAsync(ctx, "q", Message{}, nil); !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, ErrTimeout) {
			t.Errorf("full: %v", err)
		}
		blocked := make(chan error, 3)
		for range 3 {
			go func() { blocked <- conn.PublishAsync(t.Context(), "q", Message{}, nil) }()
		}
		synctest.Wait()
		if len(blocked) > 0 {
			t.Fatal("taken although the window is full")
		}
		c.setHook(nil)
		c.cut("")
		for range 3 {
			if err := <-blocked; err != nil {
				t.Error(err)
			}
		}
	})
}

func TestBadMessagesAreRefusedHere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		conn := c.connect()
		for _, tc := range []struct {
			name  string
			queue string
			m     Message
			want  error
		}{
			{"too large", "q", Message{Body: make([]byte, 1<<20+1)}, ErrTooLarge},
			{"empty queue", "", Message{}, ErrInvalid},
			{"wrong queue", "a b", Message{}, ErrInvalid},
			{"long queue", strings.Repeat("q", 201), Message{}, ErrInvalid},
			{"header", "q", Message{Header: Header{"": {"x"}}}, ErrInvalid},
			{"not UTF-8", "q", Message{ContentType: "\xff"}, ErrInvalid},
		} {
			if _, err := conn.Publish(t.Context(), tc.queue, tc.m); !errors.Is(err, tc.want) {
				t.Errorf("%s: %v", tc.name, err)
			}
			if err := conn.PublishAsync(t.Context(), tc.queue, tc.m, nil); !errors.Is(err, tc.want) {
				t.Errorf("%s, asynchronous: %v", tc.name, err)
			}
		}
		publish(t, conn, "fine")
		largest := Message{Body: make([]byte, 1<<20)}
		if _, err := conn.Publish(t.Context(), "q", largest); err != nil {
			t.Errorf("the largest message: %v", err)
		}
		conn.Close()
		if _, err := conn.Publish(t.Context(), "q", Message{}); !errors.Is(err, ErrClosed) {
			t.Errorf("after close: %v", err)
		}
		if err := conn.PublishAsync(t.Context(), "q", Message{}, nil); !errors.Is(err, ErrClosed) {
			t.Errorf("asynchronous, after close: %v", err)
		}
		if _, err := conn.Queue(t.Context(), "q"); !errors.Is(err, ErrClosed) {
			t.Errorf("read after close: %v", err)
		}
	})
}

func TestCloseEndsWhatIsOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		conn := c.connect()
		publish(t, conn, "a")
		c.setHook(func(_ *fakeConn, f transport.Frame) bool { return f.Op == transport.OpPublish })
		told := make(chan error, 2)
		if err := conn.PublishAsync(t.Context(), "q", Message{}, func(_ Receipt, err error) { told <- err }); err != nil {
			t.Fatal(err)
		}
		go func() {
			_, err := conn.Publish(t.Context(), "other", Message{})
			told <- err
		}()
		synctest.Wait()
		conn.Close()
		for range 2 {
			if err := <-told; !errors.Is(err, ErrClosed) || !errors.Is(err, ErrUnknownOutcome) {
				t.Errorf("after it was sent: %v", err)
			}
		}
		conn.Close()
	})
}
