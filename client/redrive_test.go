package client

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ferrymq/ferrymq/transport"
)

func TestRedrive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		conn := c.connect()
		defer conn.Close()
		c.fill(250)
		dry, err := conn.Redrive(t.Context(), RedriveOptions{From: "q.dlq", DryRun: true})
		if err != nil || dry.Matched != 250 || dry.Moved != 0 || len(c.amends) != 0 {
			t.Fatalf("dry run: %+v, %v", dry, err)
		}
		var told [][2]int
		start := time.Now()
		r, err := conn.Redrive(t.Context(), RedriveOptions{
			From: "q.dlq", Rate: 50, Reset: true,
			Progress: func(done, total int) { told = append(told, [2]int{done, total}) },
		})
		took := time.Since(start)
		if err != nil || r.Moved != 250 || r.Failed+r.Gone != 0 || took < 4500*time.Millisecond || took > 6*second {
			t.Errorf("after %v: %+v, %v", took, r, err)
		}
		if len(told) < 3 || told[0] != [2]int{0, 250} || told[len(told)-1] != [2]int{250, 250} {
			t.Errorf("progress %v", told)
		}
		for _, a := range c.amends {
			if len(a.Items) > redriveBatch || a.To != "" || !a.Reset || a.Action != transport.AmendMove {
				t.Errorf("amend of %d: %+v", len(a.Items), a)
			}
		}
		if len(c.browsed) != 0 {
			t.Errorf("%d are left", len(c.browsed))
		}
	})
}

func TestRedriveByID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		conn := c.connect()
		defer conn.Close()
		c.fill(10)
		r, err := conn.Redrive(t.Context(), RedriveOptions{From: "q.dlq", To: "x", IDs: []MessageID{{0, 3, 0}, {0, 99, 0}, {0, 7, 0}}})
		if err != nil || r.Matched != 2 || r.Moved != 2 || len(c.amends) != 1 || c.amends[0].To != "x" || c.amends[0].Items[1].Index != 7 {
			t.Errorf("%+v, %v", r, err)
		}
		r, err = conn.Redrive(t.Context(), RedriveOptions{From: "q.dlq", IDs: []MessageID{{0, 4, 0}}})
		if err != nil || r.Moved != 1 || c.amends[1].Items[0].Index != 4 {
			t.Errorf("%+v, %v", r, err)
		}
		for to, want := range map[string]string{
			"x.dlq": `redrive "q.dlq": invalid: to "x.dlq": a dead-letter queue is filled by the system only`,
			"a b":   `redrive "q.dlq": invalid: to "a b": a name is made of`,
		} {
			r, err := conn.Redrive(t.Context(), RedriveOptions{From: "q.dlq", To: to})
			tellsOf(t, to, err, ErrInvalid, want)
			if r.Matched != 0 {
				t.Errorf("%s: %+v", to, r)
			}
		}
	})
}

// It is cancelled half-way, and its last step is in the middle of a lost
// connection. Another one goes on where it ended: each message moves once.
func TestRedriveCancelledHalfWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		conn := c.connect()
		defer conn.Close()
		c.fill(300)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		moved := map[uint64]int{}
		note := func(payload []byte) {
			var a transport.Amend
			c.must(a.Decode(payload))
			for _, item := range a.Items {
				moved[item.Index]++
			}
		}
		steps := 0
		c.setVerdict(func(op transport.Op, payload []byte) *transport.Result {
			if op == transport.OpAmend {
				note(payload) // judged once, however often it is sent
				if steps++; steps == 2 {
					cancel()
				}
			}
			return nil
		})
		c.setHook(c.losing(transport.OpAmend, true))
		r, err := conn.Redrive(ctx, RedriveOptions{From: "q.dlq", Rate: 200})
		if !errors.Is(err, context.Canceled) || r.Matched != 300 || r.Moved == 0 || r.Moved > 100 {
			t.Errorf("%+v, %v", r, err)
		}
		synctest.Wait()
		r, err = conn.Redrive(t.Context(), RedriveOptions{From: "q.dlq"})
		if err != nil || r.Moved != 200 {
			t.Errorf("%+v, %v", r, err)
		}
		for i := range uint64(300) {
			if moved[i+1] != 1 {
				t.Errorf("message %d moved %d times", i+1, moved[i+1])
			}
		}
	})
}

// TestRedriveTellsWhatItDid: an error does not say that nothing was applied when
// something was.
func TestRedriveTellsWhatItDid(t *testing.T) {
	for name, c := range map[string]struct {
		within func(context.Context) (context.Context, context.CancelFunc)
		why    error
	}{
		"deadline": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, 3*second)
		}, context.DeadlineExceeded},
		"cancel": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(ctx)
			time.AfterFunc(3*second, cancel)
			return ctx, cancel
		}, context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cluster := newFakeCluster(t, "n1")
				conn := cluster.connect()
				defer conn.Close()
				cluster.fill(300)
				ctx, cancel := c.within(t.Context())
				defer cancel()
				r, err := conn.Redrive(ctx, RedriveOptions{From: "q.dlq", Rate: 50})
				want := `ferry: redrive "q.dlq": some were moved, the next step was not begun: ` + c.why.Error()
				if !errors.Is(err, c.why) || errors.Is(err, ErrTimeout) || err.Error() != want || r.Moved == 0 || r.Moved == 300 {
					t.Errorf("%+v, %v", r, err)
				}
				ended, end := context.WithCancel(t.Context())
				end()
				if r, err := conn.Redrive(ended, RedriveOptions{From: "q.dlq", Rate: 50}); !errors.Is(err, ErrTimeout) || r.Moved != 0 {
					t.Errorf("nothing was done: %+v, %v", r, err)
				}
			})
		})
	}
}

// TestRedriveOfANodeThatHangs: why there is no answer says no more that nothing
// was applied than the error does.
func TestRedriveOfANodeThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		conn := c.connect(WithRequestTimeout(10 * second))
		defer conn.Close()
		c.fill(300)
		var hangs atomic.Bool
		c.setHook(func(_ *fakeConn, f transport.Frame) bool { return hangs.Load() && f.Op == transport.OpAttach })
		r, err := conn.Redrive(t.Context(), RedriveOptions{From: "q.dlq", Rate: 100, Progress: func(done, _ int) {
			if done > 0 {
				hangs.Store(true)
				c.cut("n1")
				synctest.Wait() // it is known before the next step
			}
		}})
		if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ErrTimeout) || strings.Contains(err.Error(), "nothing was applied") {
			t.Errorf("%v", err)
		}
		if r.Moved == 0 || r.Moved == 300 {
			t.Errorf("%+v", r)
		}
	})
}

func TestRedriveIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		conn := c.connect()
		defer conn.Close()
		ctx := t.Context()
		c.fill(4)
		c.browsed[2].Death = &transport.Death{Queue: "gone"}
		busy, tries := 2, 0
		c.amended(func(items []transport.AmendItem, to []transport.Verdict) {
			tries++
			for i, item := range items {
				switch {
				case item.Place == 1 && busy > 0:
					busy--
					to[i] = transport.Verdict{Code: transport.CodeBusy, Cause: transport.CauseBytes, RetryAfterMs: 500}
				case item.Place == 2 || item.Place == 3:
					to[i].Code = transport.CodeNotFound
				}
			}
		})
		c.askedFor("gone", func(fc *fakeConn, stream uint32) {
			fc.send(transport.OpError, stream, transport.Errorf(transport.CodeNotFound, "no such queue"))
		})
		start := time.Now()
		r, err := conn.Redrive(ctx, RedriveOptions{From: "q.dlq"})
		if took := time.Since(start); err != nil || tries != 3 || took < second {
			t.Errorf("%d tries in %v: %v", tries, took, err)
		}
		if r.Moved != 2 || r.Gone != 1 || r.Failed != 1 || !errors.Is(r.Errors[MessageID{0, 3, 0}], ErrNotFound) {
			t.Errorf("%+v", r)
		}
		if _, err := conn.Redrive(ctx, RedriveOptions{From: "q.dlq", To: "gone"}); !errors.Is(err, ErrNotFound) {
			t.Error(err)
		}
		if _, err := conn.Redrive(ctx, RedriveOptions{From: "q.dlq", Rate: -1}); !errors.Is(err, ErrInvalid) {
			t.Error(err)
		}
		busy = 1 << 30
		ctx, cancel := context.WithTimeout(ctx, 2*second)
		defer cancel()
		r, err = conn.Redrive(ctx, RedriveOptions{From: "q.dlq"})
		if !errors.Is(err, context.DeadlineExceeded) || r.Moved != 1 {
			t.Errorf("a target that is busy to the end: %+v, %v", r, err)
		}
	})
}

// TestRedriveCountsBeforeItAsks: what a batch moved is told, although what became
// of the first of it cannot be asked for.
func TestRedriveCountsBeforeItAsks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		conn := c.connect()
		defer conn.Close()
		c.fill(4)
		c.amended(func(_ []transport.AmendItem, to []transport.Verdict) { to[0].Code = transport.CodeNotFound })
		c.askedFor(c.browsed[0].Death.Queue, func(*fakeConn, uint32) {}) // no answer
		ctx, cancel := context.WithTimeout(t.Context(), second)
		defer cancel()
		r, err := conn.Redrive(ctx, RedriveOptions{From: "q.dlq"})
		if r.Moved != 3 || !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ErrTimeout) {
			t.Errorf("%+v, %v", r, err)
		}
	})
}

// amended has the cluster judge the messages of each Amend as f says: all are ok
// before.
func (c *fakeCluster) amended(f func(items []transport.AmendItem, to []transport.Verdict)) {
	c.setVerdict(func(op transport.Op, payload []byte) *transport.Result {
		var a transport.Amend
		if op != transport.OpAmend {
			return nil
		}
		c.must(a.Decode(payload))
		r := &transport.Result{Items: make([]transport.Verdict, len(a.Items))}
		f(a.Items, r.Items)
		return r
	})
}

// askedFor has f answer, or not, who asks for a queue.
func (c *fakeCluster) askedFor(queue string, f func(fc *fakeConn, stream uint32)) {
	c.setHook(func(fc *fakeConn, frame transport.Frame) bool {
		var q transport.Query
		if frame.Op != transport.OpQuery {
			return false
		}
		c.must(q.Decode(frame.Payload))
		if q.Kind != transport.QueryQueue || q.Name != queue {
			return false
		}
		f(fc, frame.Stream)
		return true
	})
}
