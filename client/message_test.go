package client

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ferrymq/ferrymq/fsm/record"
	"github.com/ferrymq/ferrymq/transport"
)

// Whatever a message can say arrives, and every field is looked at.
func TestMessageThroughItsRecord(t *testing.T) {
	m := Message{
		Body: []byte("body"), Header: Header{"b": {"1", "2"}, "a": {"3"}}, ContentType: "text/plain",
		CorrelationID: "c", DedupID: "d", GroupKey: "g", Priority: Priority(0), TTL: time.Minute,
		Delay: time.Second, ReplyTo: "r", Tenant: "t", Subject: "a.b",
	}
	late := m
	late.Delay, late.DeliverAt = 0, time.UnixMilli(1<<41)
	for _, m := range []Message{m, late, {}} {
		r, err := recordOf(&m)
		if err != nil {
			t.Fatal(err)
		}
		r.DeadlineMillis = 12345
		b, err := record.Append(nil, &r)
		if err != nil {
			t.Fatal(err)
		}
		got, deadline, err := messageOf(b)
		if err != nil || deadline.UnixMilli() != 12345 {
			t.Fatal(deadline, err)
		}
		if len(got.Body) == 0 {
			got.Body = nil
		}
		if !reflect.DeepEqual(got, m) {
			t.Errorf("got %+v, want %+v", got, m)
		}
	}
	v := reflect.ValueOf(m)
	for i := range v.NumField() {
		if name := v.Type().Field(i).Name; v.Field(i).IsZero() && name != "DeliverAt" {
			t.Errorf("%s is not tried", name)
		}
	}
}

func TestTimesOfAMessage(t *testing.T) {
	r, err := recordOf(&Message{TTL: time.Microsecond, DeliverAt: time.UnixMilli(7).Add(1)})
	if err != nil || r.TTLMillis != 1 || r.DeliverAtMillis != 8 {
		t.Errorf("%+v, %v", r, err)
	}
	for _, m := range []Message{
		{TTL: -1}, {Delay: -1}, {Delay: 1, DeliverAt: time.Now()}, {DeliverAt: time.Unix(-5, 0)},
	} {
		if _, err := recordOf(&m); !errors.Is(err, ErrInvalid) {
			t.Errorf("%+v: %v", m, err)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		conn := c.connect()
		defer conn.Close()
		rs, err := conn.PublishBatch(t.Context(), "q", []Message{{Body: []byte("a")}, {TTL: -1}, {Body: []byte("b")}})
		if err != nil || rs[0].Err != nil || !errors.Is(rs[1].Err, ErrInvalid) || rs[2].Err != nil {
			t.Errorf("%+v, %v", rs, err)
		}
		if err := conn.PublishAsync(t.Context(), "q", Message{TTL: -1}, nil); !errors.Is(err, ErrInvalid) {
			t.Error(err)
		}
		equal(t, "applied", c.bodies(), []string{"a", "b"})
	})
}

// Settings go out and come back, each of them.
func TestSettingsThroughTheWire(t *testing.T) {
	s := QueueSettings{
		MaxMessages: 1, MaxBytes: 2, Overflow: OverflowDropNew, FailureLimit: FailureLimitUnlimited, Lease: 5 * second,
		DLQMessages: 3, DLQBytes: 4, TTL: 48 * time.Hour, ExpiredDead: true,
		Retry:           RetryPolicy{Kind: RetryLinear, Base: second, Max: time.Minute, Factor: 3},
		StarvationGuard: StarvationGuardOff, GroupFailure: GroupSkip, GroupBatch: 5, Exclusive: true, Fair: true,
		Dedup: time.Minute, DedupCapacity: 6, Breaker: true, DispatchRate: 7, DispatchBurst: 8,
	}
	for v, i := reflect.ValueOf(s), 0; i < v.NumField(); i++ {
		if v.Field(i).IsZero() {
			t.Errorf("%s is not tried", v.Type().Field(i).Name)
		}
	}
	w, err := s.wire()
	if err != nil {
		t.Fatal(err)
	}
	for v, i := reflect.ValueOf(w), 0; i < v.NumField(); i++ {
		if v.Field(i).IsZero() {
			t.Errorf("%s is not sent", v.Type().Field(i).Name)
		}
	}
	if got := settingsFrom(w); got != s {
		t.Errorf("got %+v, want %+v", got, s)
	}
	for name, s := range map[string]QueueSettings{
		"lease": {Lease: time.Millisecond}, "TTL": {TTL: -1}, "retry base": {Retry: RetryPolicy{Base: 25 * time.Hour}},
		"longest retry": {Retry: RetryPolicy{Max: -1}}, "retry factor": {Retry: RetryPolicy{Factor: -1}},
		"failure limit": {FailureLimit: -2}, "starvation guard": {StarvationGuard: -2}, "group batch": {GroupBatch: -1},
		"window": {Dedup: 8 * 24 * time.Hour}, "capacity": {DedupCapacity: -1},
		"dispatch rate": {DispatchRate: -1}, "dispatch burst": {DispatchBurst: 1 << 40},
	} {
		if _, err := s.wire(); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := OverflowDropOldest.String() + " " + RetryFixed.String() + " " + GroupPark.String() + " " + Retrying.String() + " " +
		BreakerHalfOpen.String() + " " + Overflow(9).String(); got != "drop-oldest fixed park retrying half-open 9" {
		t.Error(got)
	}
}

func TestHandlerErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		conn := c.connect()
		defer conn.Close()
		no := errors.New("no")
		g := &gather{fail: map[string]error{
			"later": RetryAfter(1500*time.Microsecond, no), "down": Downstream(no),
			"both": Downstream(RetryAfter(time.Hour, no)), "long": RetryAfter(time.Hour*100, no),
			"none": RetryAfter(0, nil), "fine": Downstream(nil), "never": Permanent(Downstream(no)),
		}}
		consume(t, conn, g.handle)
		c.deliver(1, 10, false, "later", "down", "both", "long", "none", "fine", "never")
		synctest.Wait()
		s := c.settles()
		equal(t, "settles", actions(s), []string{"nack 10", "nack 11", "nack 12", "nack 13", "ack 14", "ack 15", "reject 16"})
		for i, want := range []transport.SettleItem{
			{Reason: transport.ReasonMessage, DelayMs: 2}, {Reason: transport.ReasonDownstream},
			{Reason: transport.ReasonDownstream, DelayMs: 3_600_000}, {Reason: transport.ReasonMessage, DelayMs: 86_400_000},
		} {
			if s[i].Reason != want.Reason || s[i].DelayMs != want.DelayMs || s[i].Error != "no" {
				t.Errorf("settle %d is %+v", i, s[i])
			}
		}
		if err := RetryAfter(time.Minute, no); !errors.Is(err, no) || !errors.Is(Downstream(err), no) {
			t.Error("what is marked is hidden")
		}
	})
}

// The history of a dead letter arrives.
func TestDeathOfADeadLetter(t *testing.T) {
	d := deathOf(&transport.Death{
		Queue: "q", Reason: transport.DeathGroup, Attempts: 20, Failures: 3, Error: "x", AtMs: 5, Forgotten: 4,
		History: []transport.Attempt{{AtMs: 4, Session: transport.SessionID{1}, Consumer: 2, Token: 3, Error: "y"}},
	})
	if d.Reason != "group" || d.Forgotten != 4 || d.At.UnixMilli() != 5 || len(d.History) != 1 ||
		d.History[0] != (Attempt{At: time.UnixMilli(4), Session: [16]byte{1}, Consumer: 2, Token: 3, Error: "y"}) {
		t.Errorf("%+v", d)
	}
	if deathOf(nil) != nil {
		t.Error("dead without a death")
	}
}

// All that a consumer works on, and that is past half of its lease, is extended
// in one frame.
func TestExtensionsShareAFrame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		conn := c.connect()
		defer conn.Close()
		g := &gather{gate: make(chan struct{})}
		consume(t, conn, g.handle, WithConcurrency(200), WithPrefetch(300))
		c.deliver(1, 1, false, strings.Split(strings.Repeat("x", 300), "")...)
		time.Sleep(5500 * time.Millisecond)
		synctest.Wait()
		frames := len(c.view().seen) - 1 // and the Consume
		if n := len(c.settles()); n != 200 || frames != 1 {
			t.Errorf("%d extensions in %d frames", n, frames)
		}
		close(g.gate)
		synctest.Wait()
	})
}

func TestLeaseWarning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		conn := c.connect()
		defer conn.Close()
		var warned atomic.Int32
		var at atomic.Int64
		start := time.Now()
		warn := WithLeaseWarning(func(d *Delivery) {
			if string(d.Body) != "slow" || d.LeaseEnd().Before(time.Now()) {
				t.Errorf("warned of %q, whose lease ends at %v", d.Body, d.LeaseEnd())
			}
			at.Store(int64(time.Since(start)))
			warned.Add(1)
		})
		k := consume(t, conn, func(ctx context.Context, d *Delivery) error {
			if string(d.Body) == "slow" {
				<-ctx.Done()
			}
			return nil
		}, WithAutoExtend(false), warn)
		c.deliver(1, 10, false, "fast", "slow")
		time.Sleep(20 * second)
		if n, after := warned.Load(), time.Duration(at.Load()); n != 1 || after < 8*second || after > 9*second {
			t.Errorf("warned %d times, after %v", n, after)
		}
		if err := k.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		// With extensions it is told of only when they do not come through.
		warned.Store(0)
		g := &gather{gate: make(chan struct{})}
		consume(t, conn, g.handle, warn)
		c.deliver(2, 20, false, "slow")
		time.Sleep(30 * second)
		if n := warned.Load(); n != 0 {
			t.Errorf("warned %d times of leases that are kept", n)
		}
		c.setHook(func(_ *fakeConn, f transport.Frame) bool { return f.Op == transport.OpSettle })
		time.Sleep(9 * second)
		if n := warned.Load(); n != 1 {
			t.Errorf("warned %d times of a lease that is not kept", n)
		}
		c.setHook(nil)
		close(g.gate)
		synctest.Wait()
	})
}
