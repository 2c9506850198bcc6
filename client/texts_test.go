package client

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ferrymq/ferrymq/transport"
)

// TestErrorsNameWhatWasWrong: not only the queue that was asked for.
func TestErrorsNameWhatWasWrong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		conn := c.connect()
		defer conn.Close()
		ctx := t.Context()
		refuse := func(op transport.Op, r transport.Result) {
			c.setVerdict(func(asked transport.Op, _ []byte) *transport.Result {
				if asked != op {
					return nil
				}
				return &r
			})
		}
		one := func(errs []error, err error) error { return errors.Join(append(errs, err)...) }
		gone := MessageRef{7, MessageID{0, 7, 1}}
		invalid := []transport.Verdict{{Code: transport.CodeInvalid}}
		for name, k := range map[string]struct {
			op   transport.Op
			r    transport.Result
			ask  func() error
			is   error
			want []string
		}{
			"a queue for answers": {
				transport.OpConsume, transport.Result{Code: transport.CodeNotFound},
				func() error { return errorOf(conn.Request(ctx, "q", Message{}, WithDurableReply("missing"))) },
				ErrNotFound, []string{`request "q": not found: reply queue "missing"`},
			},
			"a topic": {
				transport.OpSubscribe, transport.Result{Code: transport.CodeNotFound, Detail: "topic nowhere"},
				func() error { return conn.Subscribe(ctx, Subscription{Topic: "nowhere", Queue: "s"}) },
				ErrNotFound, []string{`subscribe "s": not found: topic nowhere`},
			},
			"the only message": {
				transport.OpAmend, transport.Result{Code: transport.CodeNotFound, Items: []transport.Verdict{{Code: transport.CodeNotFound}}},
				func() error { return one(conn.DeleteMessages(ctx, "q", gone)) },
				ErrNotFound, []string{`delete messages "q": not found: message 0-7-1`},
			},
			"what a message is not": {
				transport.OpAmend, transport.Result{Code: transport.CodeInvalid, Items: invalid, Detail: "only a dead letter"},
				func() error { return one(conn.MoveMessages(ctx, "q", Move{}, gone)) },
				ErrInvalid, []string{"invalid: message 0-7-1: only a dead letter"},
			},
			"an id used before": {
				transport.OpPublish, transport.Result{Code: transport.CodeConflict},
				func() error { return errorOf(conn.Publish(ctx, "q", Message{DedupID: "a"})) },
				ErrConflict, []string{`publish "q": conflicts with what is there: its DedupID was used with other content`},
			},
			"the message of a request": {
				transport.OpRequest, transport.Result{Code: transport.CodeConflict, Detail: "message 0: its id was used"},
				func() error { return errorOf(conn.Request(ctx, "q", Message{DedupID: "a"})) },
				ErrConflict, []string{`request "q": conflicts with what is there: its id was used`},
			},
			"the only message of a frame": {
				transport.OpPublish, transport.Result{Code: transport.CodeInvalid, Detail: "message 0: an empty word"},
				func() error { return errorOf(conn.Publish(ctx, "q", Message{Subject: "a..b"})) },
				ErrInvalid, []string{`publish "q": invalid: an empty word`},
			},
		} {
			refuse(k.op, k.r)
			tellsOf(t, name, k.ask(), k.is, k.want...)
		}
	})
}

// TestBoundsAreNamed: what no node would take is refused here, by its name and
// what is possible.
func TestBoundsAreNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := newFakeCluster(t, "n1").connect()
		defer conn.Close()
		ctx := t.Context()
		create := func(s QueueSettings) error { return conn.CreateQueue(ctx, "q", s) }
		publish := func(m Message) error { return errorOf(conn.Publish(ctx, "q", m)) }
		for want, err := range map[string]error{
			"retry factor -1: 0 to ":                           create(QueueSettings{Retry: RetryPolicy{Factor: -1}}),
			"group batch -1: 0 to 1000 are possible":           create(QueueSettings{GroupBatch: -1}),
			"group batch 1001: 0 to 1000":                      create(QueueSettings{GroupBatch: MaxGroupBatch + 1}),
			"dispatch rate -1: 0 to ":                          create(QueueSettings{DispatchRate: -1}),
			"capacity of the window 4194305: 0 to 4194304":     create(QueueSettings{DedupCapacity: MaxDedupCapacity + 1}),
			"TTL -1s: 0s to 87840h0m0s":                        publish(Message{TTL: -time.Second}),
			"delay 87840h0m0.001s: 0s to 87840h0m0s":           publish(Message{Delay: MaxDelay + time.Millisecond}),
			`request "q": invalid: deadline 30h0m0s away`:      errorOf(conn.Request(ctx, "q", Message{}, WithRequestDeadline(30*time.Hour))),
			`request "q": invalid: reply queue "a b": a name`:  errorOf(conn.Request(ctx, "q", Message{}, WithDurableReply("a b"))),
			`request "q": invalid: reply queue "q.dlq": only`:  errorOf(conn.Request(ctx, "q", Message{}, WithDurableReply("q.dlq"))),
			`move messages "q": invalid: to "a b": a name is`:  errorOf(conn.MoveMessages(ctx, "q", Move{To: "a b"})),
			"weight 1001: 1 to 1000 are possible":              conn.SetTenantWeight(ctx, "q", "t", 1001),
			`name "a b": invalid: a name is made of`:           CheckName("a b"),
			"name: invalid: a name has 1 to 196 characters":    CheckName(""),
			"prefetch of -1 bytes: 1 to 1073741824 are possib": errorOf(conn.Consume(ctx, "q", func(context.Context, *Delivery) error { return nil }, WithPrefetchBytes(-1))),
		} {
			tellsOf(t, want, err, ErrInvalid, want)
		}
		_, err := conn.DeleteMessages(ctx, "q", make([]MessageRef, MaxRefs+1)...)
		tellsOf(t, "too many", err, ErrTooLarge, "100001 messages, at most 100000 at a time")
	})
}

func tellsOf(t *testing.T, name string, err, is error, parts ...string) {
	t.Helper()
	if !errors.Is(err, is) {
		t.Errorf("%s: %v is not %v", name, err, is)
		return
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%s: %q lacks %q", name, err, part)
		}
	}
}
