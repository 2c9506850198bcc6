package client

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ferrymq/ferrymq/fsm/record"
	"github.com/ferrymq/ferrymq/transport"
)

// deliverRequest hands a message to a consumer, a request if it has a deadline.
func (c *fakeCluster) deliverRequest(consumer uint32, token uint64, m record.Message) {
	fc, handle := c.attached()
	b, err := record.Append(nil, &m)
	c.must(err)
	fc.send(transport.OpEvents, 0, &transport.Events{Deliveries: []transport.Delivery{{
		Handle: handle, Consumer: consumer, Incarnation: 5, Place: token, Token: token, Index: token,
		Attempt: 1, LeaseMs: 10_000, Record: b, Request: m.DeadlineMillis > 0,
	}}})
}

func TestRespond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		var told []Answer
		conn := c.connect(WithAnswerFunc(func(a Answer) {
			if a.Op == "reply" {
				told = append(told, a)
			}
		}))
		defer conn.Close()
		deadline := time.Now().Add(time.Minute).Truncate(time.Millisecond)
		_, err := conn.Respond(t.Context(), "q", func(_ context.Context, d *Delivery) (Message, error) {
			switch string(d.Body) {
			case "large":
				return Message{Body: make([]byte, 64<<10+1)}, nil
			case "bad":
				return Message{}, errors.New("not now")
			case "1":
				if !d.IsRequest || !d.Deadline.Equal(deadline) {
					t.Errorf("request %v until %v", d.IsRequest, d.Deadline)
				}
			}
			return Message{Body: []byte("re " + string(d.Body)), CorrelationID: strings.Repeat("own", len(d.Body)/2)}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		until := uint64(deadline.UnixMilli())
		for i, m := range []record.Message{
			{Body: []byte("1"), CorrelationID: "c1", DeadlineMillis: until},
			{Body: []byte("22"), CorrelationID: "c2", DeadlineMillis: until},
			{Body: []byte("large"), DeadlineMillis: until},
			{Body: []byte("bad"), DeadlineMillis: until},
			{Body: []byte("5"), CorrelationID: "c5", ReplyTo: "inbox", DeadlineMillis: until},
			{Body: []byte("plain")},
		} {
			c.deliverRequest(1, uint64(10+i), m)
			synctest.Wait()
		}
		equal(t, "settles", actions(c.settles()), []string{"reject 12", "nack 13", "ack 14", "ack 15"})
		var replies []string
		for _, r := range c.replies {
			replies = append(replies, fmt.Sprint(r.Token, " ", string(r.message.Body), " ", r.message.CorrelationID))
		}
		equal(t, "replies", replies, []string{"10 re 1 c1", "11 re 22 own"})
		if len(c.commits) != 1 || c.commits[0].Publishes[0].Queue != "inbox" || bodyOf(c.commits[0].Publishes[0]) != "re 5" {
			t.Errorf("commits %+v", c.commits)
		}
		if len(told) != 2 || told[0].Tokens[0] != 10 || told[0].Resource != "q" {
			t.Errorf("traced %+v", told)
		}
		if _, err := conn.Respond(t.Context(), "q", nil); !errors.Is(err, ErrInvalid) {
			t.Error(err)
		}
		f := func(context.Context, *Delivery) (Message, error) { return Message{}, nil }
		if _, err := conn.Respond(t.Context(), "q", f, WithoutAcks()); !errors.Is(err, ErrInvalid) {
			t.Error(err)
		}
	})
}

// The connection breaks in the middle of a reply.
func TestReplyThroughALostConnection(t *testing.T) {
	for name, applied := range map[string]bool{"before": false, "after": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newFakeCluster(t, "n1")
				conn := c.connect()
				defer conn.Close()
				outcome := make(chan error, 2)
				consume(t, conn, func(ctx context.Context, d *Delivery) error {
					outcome <- d.Reply(ctx, Message{Body: []byte("!")})
					outcome <- d.Reply(context.Background(), Message{})
					return nil
				})
				c.setHook(c.losing(transport.OpReply, applied))
				c.deliverRequest(1, 10, record.Message{DeadlineMillis: 1 << 50})
				if err := <-outcome; err != nil {
					t.Error(err)
				}
				if err := <-outcome; !errors.Is(err, ErrSettled) {
					t.Errorf("second reply: %v", err)
				}
				time.Sleep(second)
				synctest.Wait()
				if len(c.replies) != 1 || len(c.settles()) != 0 {
					t.Errorf("%d replies, settles %v", len(c.replies), actions(c.settles()))
				}
			})
		})
	}
}

// A reply that is refused leaves the delivery as it is, or tells that it is lost.
func TestReplyIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		conn := c.connect()
		defer conn.Close()
		code := transport.CodeInvalid
		c.setVerdict(func(op transport.Op, _ []byte) *transport.Result {
			if op == transport.OpReply {
				return &transport.Result{Code: code}
			}
			return nil
		})
		outcome := make(chan error, 1)
		consume(t, conn, func(ctx context.Context, d *Delivery) error {
			outcome <- d.Reply(ctx, Message{})
			return nil // which acks nothing: there was to be an answer
		})
		c.deliverRequest(1, 10, record.Message{DeadlineMillis: 1 << 50})
		if err := <-outcome; !errors.Is(err, ErrInvalid) {
			t.Error(err)
		}
		synctest.Wait()
		code = transport.CodeLeaseLost
		c.deliverRequest(1, 11, record.Message{DeadlineMillis: 1 << 50})
		var e *Error
		if err := <-outcome; !errors.Is(err, ErrLeaseLost) || !errors.As(err, &e) || e.Delivery.Token != 11 {
			t.Error(err)
		}
		c.deliverRequest(1, 12, record.Message{}) // no request
		if err := <-outcome; !errors.Is(err, ErrInvalid) {
			t.Error(err)
		}
		synctest.Wait()
		equal(t, "settles", actions(c.settles()), []string{"nack 10", "ack 12"})
	})
}

// Answers that are too large for a Reply go through a queue, which the connection
// consumes from the first request on.
func TestDurableReply(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		conn := c.connect()
		defer conn.Close()
		a := ask(t.Context(), conn, Message{Body: []byte("?")}, WithDurableReply("inbox"))
		q := c.asked()
		if q.message.ReplyTo != "inbox" || len(q.message.CorrelationID) != 32 {
			t.Fatalf("request %+v", q.message)
		}
		if v := c.view(); len(v.consumes) != 1 || v.consumes[0].Queue != "inbox" {
			t.Errorf("consumes %+v", v.consumes)
		}
		c.answerRequest(transport.CodeOK, "") // the ack in the responder's Tx
		synctest.Wait()
		c.deliverRequest(1, 10, record.Message{Body: []byte("old"), CorrelationID: "somebody"})
		c.deliverRequest(1, 11, record.Message{Body: []byte("!"), CorrelationID: q.message.CorrelationID})
		if got := a.body(t); got != "!" {
			t.Errorf("answered %q", got)
		}
		synctest.Wait()
		equal(t, "settles", actions(c.settles()), []string{"reject 10", "ack 11"})

		// The queue may be faster than the news that the request was acked, and the
		// connection may break between the two.
		a = ask(t.Context(), conn, Message{CorrelationID: "mine"}, WithDurableReply("inbox"))
		if _, err := conn.Request(t.Context(), "q", Message{CorrelationID: "mine"}, WithDurableReply("inbox")); !errors.Is(err, ErrConflict) {
			t.Errorf("the same correlation id: %v", err)
		}
		c.cut("")
		time.Sleep(second)
		c.deliverRequest(1, 12, record.Message{Body: []byte("fast"), CorrelationID: "mine"})
		if got := a.body(t); got != "fast" {
			t.Errorf("answered %q", got)
		}
		if n := len(c.view().consumes); n != 1 {
			t.Errorf("%d consumers", n)
		}
		c.answerRequest(transport.CodeOK, "")

		// Acked without an answer, answered without the queue, and not at all.
		a = ask(t.Context(), conn, Message{}, WithDurableReply("inbox"), WithRequestDeadline(second))
		c.answerRequest(transport.CodeOK, "")
		if _, err := a.got(); !errors.Is(err, ErrExpired) {
			t.Error(err)
		}
		a = ask(t.Context(), conn, Message{}, WithDurableReply("inbox"))
		c.answerRequest(transport.CodeOK, "small")
		if got := a.body(t); got != "small" {
			t.Errorf("answered %q", got)
		}
		a = ask(t.Context(), conn, Message{}, WithDurableReply("inbox"))
		fc, handle := c.attached()
		fc.send(transport.OpEvents, 0, &transport.Events{Closed: []transport.Closed{{Handle: handle, Consumer: 1, Code: transport.CodeNotFound}}})
		if _, err := a.got(); !errors.Is(err, ErrUnknownOutcome) || !errors.Is(err, ErrNotFound) {
			t.Errorf("the queue is gone: %v", err)
		}
	})
}
