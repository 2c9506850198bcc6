package client

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ferrymq/ferrymq/transport"
)

// asking is a Request under way.
type asking struct {
	response chan *Response
	err      chan error
}

func ask(ctx context.Context, conn *Conn, m Message, opts ...RequestOption) asking {
	a := asking{make(chan *Response, 1), make(chan error, 1)}
	go func() {
		r, err := conn.Request(ctx, "q", m, opts...)
		a.response <- r
		a.err <- err
	}()
	synctest.Wait()
	return a
}

// got is what became of it.
func (a asking) got() (*Response, error) { return <-a.response, <-a.err }

func (a asking) body(t *testing.T) string {
	t.Helper()
	r, err := a.got()
	if err != nil {
		t.Errorf("request: %v", err)
		return ""
	}
	return string(r.Body)
}

func TestRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		var told []Answer
		conn := c.connect(WithAnswerFunc(func(a Answer) { told = append(told, a) }))
		defer conn.Close()
		a := ask(t.Context(), conn, Message{Body: []byte("?"), CorrelationID: "7"}, WithRequestDeadline(5*second), NoRetry())
		q := c.asked()
		if string(q.message.Body) != "?" || q.Queue != "q" || !q.NoRetry || q.deadline != time.Now().Add(5*second).UnixMilli() {
			t.Errorf("request %+v", q)
		}
		c.answerRequest(transport.CodeOK, "!")
		r, err := a.got()
		if err != nil || string(r.Body) != "!" || r.CorrelationID != "7" || r.ID.Index == 0 || r.Empty {
			t.Errorf("answer %+v, %v", r, err)
		}
		if len(told) != 1 || told[0].Op != "request" || told[0].Resource != "q" || told[0].Index == 0 {
			t.Errorf("traced %+v", told)
		}
		a = ask(t.Context(), conn, Message{})
		if q := c.asked(); q.NoRetry || q.deadline != time.Now().Add(30*second).UnixMilli() {
			t.Errorf("request %+v", q)
		}
		c.answerRequest(transport.CodeOK, "")
		if r, err := a.got(); err != nil || !r.Empty || len(r.Body) != 0 {
			t.Errorf("acked: %+v, %v", r, err)
		}
		left := make(chan int, 1)
		if err := conn.do(t.Context(), func(m *manager) { left <- len(m.awaited) + len(m.asking) }); err != nil || <-left != 0 {
			t.Errorf("requests left, %v", err)
		}
	})
}

func TestRequestFails(t *testing.T) {
	for _, now := range []struct {
		code transport.Code
		want error
	}{
		{transport.CodeExpired, ErrExpired},
		{transport.CodeDeadLettered, ErrDeadLettered},
		{transport.CodeResponderLost, ErrResponderLost},
	} {
		t.Run(now.code.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newFakeCluster(t, "n1")
				conn := c.connect()
				defer conn.Close()
				a := ask(t.Context(), conn, Message{})
				c.answerRequest(now.code, "")
				var e *Error
				if _, err := a.got(); !errors.Is(err, now.want) || !errors.As(err, &e) || e.Retryable || e.Op != "request" {
					t.Errorf("request: %v", err)
				}
			})
		})
	}
}

func TestRequestIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		conn := c.connect()
		defer conn.Close()
		busy := 2
		code := transport.CodeNoResponders
		c.setVerdict(func(op transport.Op, _ []byte) *transport.Result {
			switch {
			case op != transport.OpRequest:
				return nil
			case busy > 0:
				busy--
				return &transport.Result{Code: transport.CodeBusy, Cause: transport.CauseRequests, RetryAfterMs: 10}
			}
			return &transport.Result{Code: code}
		})
		start := time.Now()
		if _, err := ask(t.Context(), conn, Message{}).got(); !errors.Is(err, ErrNoResponders) || time.Since(start) > second {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
		if n := len(c.seen); n != 3 {
			t.Errorf("%d operations", n)
		}
		code = transport.CodeExpired
		if _, err := ask(t.Context(), conn, Message{}).got(); !errors.Is(err, ErrExpired) {
			t.Error(err)
		}
		// Accepted, and not stored.
		code = transport.CodeDuplicate
		if _, err := ask(t.Context(), conn, Message{}).got(); !errors.Is(err, ErrConflict) {
			t.Error(err)
		}
		code = transport.CodeDropped
		short, cancel := context.WithTimeout(t.Context(), second)
		defer cancel()
		if _, err := ask(short, conn, Message{}).got(); !errors.Is(err, ErrQueueFull) || !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		c.mu.Lock()
		busy = 1 << 30
		c.mu.Unlock()
		ctx, cancel := context.WithTimeout(t.Context(), second)
		defer cancel()
		if _, err := conn.Request(ctx, "q", Message{}); !errors.Is(err, ErrTooManyRequests) || !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		for name, err := range map[string]error{
			"queue":    errorOf(conn.Request(ctx, "", Message{})),
			"deadline": errorOf(conn.Request(ctx, "q", Message{}, WithRequestDeadline(25*time.Hour))),
			"inbox":    errorOf(conn.Request(ctx, "q", Message{}, WithDurableReply("!"))),
			"message":  errorOf(conn.Request(ctx, "q", Message{Delay: -1})),
		} {
			if !errors.Is(err, ErrInvalid) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := conn.Request(ctx, "q", Message{Body: make([]byte, 1<<20+1)}); !errors.Is(err, ErrTooLarge) {
			t.Error(err)
		}
	})
}

// The next request tells the group which answers have come, also such as came
// too late for anybody; if it may not have been judged, the one after it does.
func TestRequestTellsOfAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		conn := c.connect()
		defer conn.Close()
		want := func(numbers ...uint64) uint64 {
			t.Helper()
			q := c.asked()
			if !slices.Equal(q.Taken, numbers) {
				t.Errorf("request %d tells of %v, want %v", q.Number, q.Taken, numbers)
			}
			return q.Number
		}
		a := ask(t.Context(), conn, Message{})
		first := want()
		c.answerRequest(transport.CodeOK, "!")
		a.body(t)

		ctx, cancel := context.WithCancel(t.Context())
		a = ask(ctx, conn, Message{})
		second := want(first)
		cancel()
		a.got()
		c.answerRequest(transport.CodeOK, "nobody waits")
		synctest.Wait()

		c.setVerdict(func(op transport.Op, _ []byte) *transport.Result {
			return &transport.Result{Code: transport.CodeNoResponders}
		})
		ask(t.Context(), conn, Message{}).got()
		c.setVerdict(nil)
		a = ask(t.Context(), conn, Message{})
		want(second)
		c.answerRequest(transport.CodeOK, "!")
		a.body(t)
	})
}

func errorOf[T any](_ T, err error) error { return err }

// The connection breaks while a request waits; its answer comes while nobody is
// attached. It is asked for after the attach.
func TestRequestThroughAReconnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1", "n2")
		conn := c.connect()
		defer conn.Close()
		first := ask(t.Context(), conn, Message{Body: []byte("1")})
		c.setDown("n1", true)
		c.setDown("n2", true)
		synctest.Wait()
		c.answerRequest(transport.CodeOK, "missed")
		time.Sleep(second)
		c.setLeader("n2")
		c.setDown("n1", false)
		c.setDown("n2", false)
		if got := first.body(t); got != "missed" {
			t.Errorf("answered %q", got)
		}
		// And one that is answered after the attach, by itself; it is asked for all
		// the same, by its own number.
		other := ask(t.Context(), conn, Message{Body: []byte("2")})
		c.cut("")
		time.Sleep(second)
		c.answerRequest(transport.CodeOK, "in time")
		if got := other.body(t); got != "in time" {
			t.Errorf("answered %q", got)
		}
		if len(c.requests) != 2 || len(c.awaits) != 2 || c.awaits[1].Number != c.awaits[0].Number+1 {
			t.Errorf("%d requests, awaits %+v", len(c.requests), c.awaits)
		}
	})
}

// The same session on the same connection: a new leader may have what the old one
// could not tell.
func TestRequestThroughALeaderChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		conn := c.connect(WithFollowLeader(false))
		defer conn.Close()
		a := ask(t.Context(), conn, Message{})
		fc, handle := c.attached()
		c.mu.Lock()
		for _, s := range c.sessions {
			s.conn = nil // the old leader's answer reached nobody
		}
		c.mu.Unlock()
		c.answerRequest(transport.CodeOK, "kept")
		refused := false
		c.setHook(func(fc *fakeConn, f transport.Frame) bool {
			if f.Op != transport.OpAwait || refused {
				return false
			}
			refused = true
			fc.answer(f.Stream, transport.Result{Code: transport.CodeNotLeader})
			return true
		})
		fc.send(transport.OpReattach, 0, transport.Reattach{Handle: handle, Group: c.info()})
		if got := a.body(t); got != "kept" || !refused {
			t.Errorf("answered %q", got)
		}
	})
}

// The answer to the operation is lost, before it was applied and after; its
// responder was quick.
func TestRequestWhoseConfirmationIsLost(t *testing.T) {
	for name, applied := range map[string]bool{"before": false, "after": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newFakeCluster(t, "n1")
				conn := c.connect()
				defer conn.Close()
				publish(t, conn, "first")
				lose := c.losing(transport.OpRequest, applied)
				c.setHook(func(fc *fakeConn, f transport.Frame) bool {
					if !lose(fc, f) {
						return false
					}
					if applied {
						c.mu.Lock()
						for _, s := range c.sessions {
							s.conn = nil
						}
						c.mu.Unlock()
						c.answerRequest(transport.CodeOK, "!")
					}
					return true
				})
				a := ask(t.Context(), conn, Message{})
				if !applied {
					time.Sleep(second)
					synctest.Wait()
					c.answerRequest(transport.CodeOK, "!")
				}
				if got := a.body(t); got != "!" || len(c.requests) != 1 {
					t.Errorf("answered %q, %d requests", got, len(c.requests))
				}
			})
		})
	}
}

func TestRequestWithoutAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		conn := c.connect()
		defer conn.Close()
		// Its time is over, and nobody says so.
		start := time.Now()
		_, err := conn.Request(t.Context(), "q", Message{}, WithRequestDeadline(2*second))
		if took := time.Since(start); !errors.Is(err, ErrExpired) || took < 2*second || took > 4*second {
			t.Errorf("after %v: %v", took, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), second)
		defer cancel()
		_, err = conn.Request(ctx, "q", Message{})
		if !errors.Is(err, ErrExpired) || !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		// Its user goes away.
		ctx, cancel = context.WithCancel(t.Context())
		a := ask(ctx, conn, Message{})
		cancel()
		if _, err := a.got(); !errors.Is(err, ErrUnknownOutcome) || !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		// Nothing was sent.
		c.setDown("n1", true)
		synctest.Wait()
		ctx, cancel = context.WithTimeout(t.Context(), second)
		defer cancel()
		if _, err := conn.Request(ctx, "q", Message{}); !errors.Is(err, ErrTimeout) || errors.Is(err, ErrUnknownOutcome) {
			t.Error(err)
		}
		c.setDown("n1", false)
		time.Sleep(2 * second)
		// The session is gone, and with it the request.
		a = ask(t.Context(), conn, Message{})
		c.expire()
		c.cut("")
		if _, err := a.got(); !errors.Is(err, ErrUnknownOutcome) || !errors.Is(err, ErrSessionExpired) {
			t.Error(err)
		}
		// The group has forgotten it.
		a = ask(t.Context(), conn, Message{})
		c.mu.Lock()
		clear(c.requests)
		c.mu.Unlock()
		c.cut("")
		if _, err := a.got(); !errors.Is(err, ErrUnknownOutcome) {
			t.Error(err)
		}
		// And its time is over.
		a = ask(t.Context(), conn, Message{}, WithRequestDeadline(second))
		c.setDown("n1", true)
		synctest.Wait()
		c.mu.Lock()
		clear(c.requests)
		c.mu.Unlock()
		time.Sleep(1500 * time.Millisecond)
		c.setDown("n1", false)
		if _, err := a.got(); !errors.Is(err, ErrExpired) {
			t.Error(err)
		}
		// The connection is closed.
		a = ask(t.Context(), conn, Message{})
		conn.Close()
		if _, err := a.got(); !errors.Is(err, ErrUnknownOutcome) || !errors.Is(err, ErrClosed) {
			t.Error(err)
		}
	})
}
