package client

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ferrymq/ferrymq/transport"
)

// deliveries takes n messages by an iterator that stays open until the test ends.
func deliveries(t *testing.T, c *fakeCluster, conn *Conn, n int) []*Delivery {
	t.Helper()
	got := make(chan *Delivery, n)
	ctx, cancel := context.WithCancel(t.Context())
	var over sync.WaitGroup
	over.Go(func() {
		for d, err := range conn.Messages(ctx, "q") {
			if err != nil {
				return
			}
			got <- d
		}
	})
	t.Cleanup(func() { cancel(); over.Wait() })
	synctest.Wait()
	bodies := make([]string, n)
	for i := range bodies {
		bodies[i] = string(rune('a' + i))
	}
	c.deliver(1, 10, false, bodies...)
	var all []*Delivery
	for range n {
		all = append(all, <-got)
	}
	return all
}

func TestTxIsOneOperation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		var told []Answer
		conn := c.connect(WithAnswerFunc(func(a Answer) {
			if a.Op == "commit" {
				told = append(told, a)
			}
		}))
		defer conn.Close()
		c.setVerdict(func(op transport.Op, _ []byte) *transport.Result {
			if op != transport.OpCommit {
				return nil
			}
			return &transport.Result{Position: 4, Value: 5, Items: []transport.Verdict{
				{}, {Code: transport.CodeDuplicate, FirstIndex: 7, FirstPosition: 2}, {Code: transport.CodeDropped},
			}}
		})
		ds := deliveries(t, c, conn, 3)
		var sent transport.Commit
		c.setHook(func(_ *fakeConn, f transport.Frame) bool {
			if f.Op == transport.OpCommit {
				c.must(sent.Decode(f.Payload))
			}
			return false
		})
		tx := conn.NewTx()
		tx.Ack(ds[0])
		tx.Nack(ds[1], WithReason(ReasonDownstream), WithDelay(1500*time.Microsecond), WithError("later"))
		tx.Reject(ds[2], "never")
		tx.Publish("x", Message{Body: []byte("1")})
		tx.Publish("x", Message{Body: []byte("2"), DedupID: "two"})
		tx.Publish("y", Message{Body: []byte("3")})
		result, err := tx.Commit(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "settles", actions(sent.Settles), []string{"ack 10", "nack 11", "reject 12"})
		if s := sent.Settles[1]; s.DelayMs != 2 || s.Reason != transport.ReasonDownstream || s.Error != "later" {
			t.Errorf("nack %+v", s)
		}
		if len(sent.Publishes) != 2 || sent.Publishes[0].Queue != "x" || sent.Publishes[0].Count != 2 ||
			sent.Publishes[1].Queue != "y" || bodyOf(sent.Publishes[1]) != "3" {
			t.Errorf("publishes %+v", sent.Publishes)
		}
		r := result.Receipts
		if len(r) != 3 || r[0].ID.Position != 4 || !r[1].Duplicate || r[1].First != (MessageID{0, 7, 2}) ||
			!r[2].Dropped || r[2].ID.Position != 6 || result.Queues != 5 {
			t.Errorf("result %+v", result)
		}
		for _, d := range ds {
			if err := d.Ack(t.Context()); !errors.Is(err, ErrSettled) {
				t.Errorf("ack after the commit: %v", err)
			}
		}
		if _, err := tx.Commit(t.Context()); !errors.Is(err, ErrInvalid) {
			t.Errorf("second commit: %v", err)
		}
		if len(told) != 1 || len(told[0].Tokens) != 3 || told[0].Actions[2] != transport.ActionReject ||
			told[0].Publishes[0] != (AnsweredPublish{"x", 2}) || len(told[0].Codes) != 3 {
			t.Errorf("traced %+v", told)
		}
	})
}

// A connection that breaks in the middle of a commit: it is sent again under its
// number and done once.
func TestTxThroughALostConnection(t *testing.T) {
	for name, applied := range map[string]bool{"before": false, "after": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newFakeCluster(t, "n1")
				conn := c.connect()
				defer conn.Close()
				ds := deliveries(t, c, conn, 1)
				c.setHook(c.losing(transport.OpCommit, applied))
				tx := conn.NewTx()
				tx.Ack(ds[0])
				tx.Publish("x", Message{Body: []byte("1")})
				if _, err := tx.Commit(t.Context()); err != nil {
					t.Fatal(err)
				}
				if n := len(c.commits); n != 1 {
					t.Errorf("%d commits", n)
				}
				equal(t, "applied", c.bodies(), []string{"1"})
			})
		})
	}
}

func TestTxWithALostLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		conn := c.connect()
		defer conn.Close()
		ds := deliveries(t, c, conn, 3)
		c.setVerdict(func(op transport.Op, _ []byte) *transport.Result {
			if op != transport.OpCommit {
				return nil
			}
			return &transport.Result{Code: transport.CodeLeaseLost, Cause: transport.CauseExpired, Detail: "settle 1"}
		})
		tx := conn.NewTx()
		for _, d := range ds {
			tx.Ack(d)
		}
		tx.Publish("x", Message{})
		_, err := tx.Commit(t.Context())
		var e *Error
		if !errors.Is(err, ErrLeaseLost) || !errors.Is(err, ErrLeaseExpired) || !errors.As(err, &e) || e.Delivery != ds[1] {
			t.Fatalf("commit: %v, about %v", err, e.Delivery)
		}
		if !strings.Contains(err.Error(), ds[1].ID.String()) {
			t.Errorf("%q does not name the message", err)
		}
		if err := ds[1].Ack(t.Context()); !errors.Is(err, ErrLeaseLost) {
			t.Errorf("ack of the lost one: %v", err)
		}
		// The others are held as before.
		rest := conn.NewTx()
		rest.Ack(ds[0])
		rest.Ack(ds[1])
		_, err = rest.Commit(t.Context())
		if !errors.Is(err, ErrLeaseLost) || !errors.As(err, &e) || e.Delivery != ds[1] {
			t.Errorf("commit that was not sent: %v", err)
		}
		for _, d := range []*Delivery{ds[0], ds[2]} {
			if err := d.Ack(t.Context()); err != nil {
				t.Error(err)
			}
		}
	})
}

// A handler commits instead of acking. What it returns matters only if that failed.
func TestHandlerCommits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		conn := c.connect()
		defer conn.Close()
		c.setVerdict(func(op transport.Op, payload []byte) *transport.Result {
			var m transport.Commit
			if op == transport.OpCommit {
				if c.must(m.Decode(payload)); len(m.Publishes) == 1 && m.Publishes[0].Queue == "gone" {
					return &transport.Result{Code: transport.CodeNotFound, Detail: "gone"}
				}
			}
			return nil
		})
		consume(t, conn, func(ctx context.Context, d *Delivery) error {
			tx := conn.NewTx()
			tx.Ack(d)
			switch string(d.Body) {
			case "fine", "fine and error":
				tx.Publish("x", Message{Body: d.Body})
			default:
				tx.Publish("gone", Message{})
			}
			_, err := tx.Commit(ctx)
			switch string(d.Body) {
			case "fine and error":
				return errors.New("too late")
			case "ignored":
				return nil
			case "marked":
				return Permanent(err)
			}
			return err
		})
		c.deliver(1, 10, false, "fine", "fine and error", "failed", "ignored", "marked")
		synctest.Wait()
		equal(t, "settles", actions(c.settles()), []string{"ack 10", "ack 11", "nack 12", "nack 13", "reject 14"})
		if s := c.settles()[3]; !strings.Contains(s.Error, "not found") {
			t.Errorf("nacked with %q", s.Error)
		}
	})
}

// While a queue is busy a Tx is tried again, and its leases are kept.
func TestTxWaitsForABusyQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		conn := c.connect()
		defer conn.Close()
		ds := deliveries(t, c, conn, 1)
		busy := true
		c.setVerdict(func(op transport.Op, _ []byte) *transport.Result {
			if op != transport.OpCommit || !busy {
				return nil
			}
			return &transport.Result{Code: transport.CodeBusy, Cause: transport.CauseMessages, RetryAfterMs: 250}
		})
		tx := conn.NewTx()
		tx.Ack(ds[0])
		tx.Publish("x", Message{})
		ctx, cancel := context.WithTimeout(t.Context(), 8*second)
		defer cancel()
		_, err := tx.Commit(ctx)
		if !errors.Is(err, ErrBusy) || !errors.Is(err, ErrQueueFull) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("busy to the end: %v", err)
		}
		if !strings.Contains(err.Error(), "again after 250ms") || !strings.Contains(err.Error(), "message limit") {
			t.Errorf("%q does not tell cause and pause", err)
		}
		equal(t, "settles", actions(c.settles()), []string{"extend 10"})
		time.AfterFunc(second, func() { c.mu.Lock(); busy = false; c.mu.Unlock() })
		if _, err := tx.Commit(t.Context()); err != nil {
			t.Error(err)
		}
		if n := len(c.commits); n != 1 {
			t.Errorf("%d commits", n)
		}
	})
}

// A commit whose user went away stays under way, and what it decides holds.
func TestTxOfAUserWhoWentAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		conn := c.connect()
		defer conn.Close()
		held := make(chan func(), 1)
		c.setHook(func(fc *fakeConn, f transport.Frame) bool {
			if f.Op != transport.OpCommit {
				return false
			}
			held <- func() { fc.take(f) }
			return true
		})
		c.setVerdict(func(op transport.Op, _ []byte) *transport.Result {
			if op == transport.OpCommit {
				return &transport.Result{Code: transport.CodeNotFound}
			}
			return nil
		})
		consume(t, conn, func(ctx context.Context, d *Delivery) error {
			tx := conn.NewTx()
			tx.Ack(d)
			ctx, cancel := context.WithTimeout(ctx, second)
			defer cancel()
			_, err := tx.Commit(ctx)
			if !errors.Is(err, ErrUnknownOutcome) || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("commit: %v", err)
			}
			if _, err := tx.Commit(ctx); !errors.Is(err, ErrInvalid) {
				t.Errorf("second commit: %v", err)
			}
			return err
		})
		c.deliver(1, 10, false, "a")
		time.Sleep(2 * second)
		if n := len(c.settles()); n != 0 {
			t.Errorf("%d settles while the commit is under way", n)
		}
		(<-held)()
		synctest.Wait()
		equal(t, "settles", actions(c.settles()), []string{"nack 10"})
	})
}

func TestTxRefusesWhatCannotBe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		conn := c.connect()
		defer conn.Close()
		other := c.connect()
		defer other.Close()
		ds := deliveries(t, c, conn, 1)
		big := make([]byte, 600<<10)
		for name, fill := range map[string]func(tx *Tx){
			"name":    func(tx *Tx) { tx.Publish("", Message{}) },
			"message": func(tx *Tx) { tx.Publish("x", Message{TTL: -1}) },
			"both":    func(tx *Tx) { tx.Publish("x", Message{Delay: 1, DeliverAt: time.Now()}) },
			"delay":   func(tx *Tx) { tx.Nack(ds[0], WithDelay(25*time.Hour)) },
			"bytes":   func(tx *Tx) { tx.Publish("x", Message{Body: big}); tx.Publish("x", Message{Body: big}) },
			"count": func(tx *Tx) {
				for range 1001 {
					tx.Publish("x", Message{})
				}
			},
		} {
			tx := conn.NewTx()
			tx.Ack(ds[0])
			fill(tx)
			_, err := tx.Commit(t.Context())
			if !errors.Is(err, ErrInvalid) && !errors.Is(err, ErrTooLarge) {
				t.Errorf("%s: %v", name, err)
			}
		}
		tx := other.NewTx()
		tx.Ack(ds[0])
		if _, err := tx.Commit(t.Context()); !errors.Is(err, ErrInvalid) {
			t.Errorf("of another connection: %v", err)
		}
		if r, err := conn.NewTx().Commit(t.Context()); err != nil || len(r.Receipts) != 0 {
			t.Errorf("an empty one: %+v, %v", r, err)
		}
		if len(c.commits) != 0 {
			t.Errorf("%d were sent", len(c.commits))
		}
		if err := ds[0].Ack(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// Where it is not told which of its queues is meant, an error names none.
func TestTxErrorNamesNoOtherQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		conn := c.connect()
		defer conn.Close()
		c.setVerdict(func(op transport.Op, _ []byte) *transport.Result {
			if op != transport.OpCommit {
				return nil
			}
			return &transport.Result{Code: transport.CodeNotFound, Detail: "publish 1"}
		})
		for want, queues := range map[string][]string{"x": {"x", "x"}, "": {"x", "y"}} {
			tx := conn.NewTx()
			for _, queue := range queues {
				tx.Publish(queue, Message{Body: []byte("m")})
			}
			_, err := tx.Commit(t.Context())
			var e *Error
			if !errors.As(err, &e) || e.Resource != want || !strings.Contains(err.Error(), "publish 1") {
				t.Errorf("publishes to %v: %v", queues, err)
			}
		}
	})
}
