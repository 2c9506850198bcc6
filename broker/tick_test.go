package broker

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/ferrymq/ferrymq/fsm"
	"github.com/ferrymq/ferrymq/fsm/record"
	"github.com/ferrymq/ferrymq/transport"
	"github.com/ferrymq/ferrymq/transport/wire"
)

// TestRetryIsOnTime: a message that waits comes back when its time is reached,
// by an entry of its own; while nothing is due there is none.
func TestRetryIsOnTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newLeading(t, "a")
		b := startBroker(t, "a", g, nil)
		c := attached(t, b, 1)
		c.create("q")
		c.consume("q", 1)
		c.wantCode(c.publish("q", "x"), transport.CodeOK)
		s := transport.Settle{OpHeader: c.header(), Items: settlesOf(transport.ActionNack, c.delivery())}
		s.Items[0].Reason, s.Items[0].DelayMs = transport.ReasonMessage, 3500
		began := time.Now()
		c.wantCode(c.send(transport.OpSettle, s), transport.CodeOK)
		_, before := g.counted()
		d := c.delivery()
		if took := time.Since(began); took < 3500*time.Millisecond || took > 3520*time.Millisecond {
			t.Fatalf("back after %v", took)
		}
		_, after := g.counted()
		if after-before != 1 {
			t.Fatalf("%d entries for one message that is due", after-before)
		}
		c.wantCode(c.settle(transport.ActionAck, d), transport.CodeOK)
		time.Sleep(2 * time.Minute) // until nobody looks for the end of the lease any more
		_, before = g.counted()
		time.Sleep(time.Hour)
		if _, after = g.counted(); after != before {
			t.Fatalf("%d entries while nothing waits", after-before)
		}
		c.close()
	})
}

// wallGroup is a group whose wall clock is off by a while.
type wallGroup struct {
	*fakeGroup
	off time.Duration
}

func (g *wallGroup) Now() fsm.Clock {
	g.mu.Lock()
	defer g.mu.Unlock()
	c := g.fakeGroup.Now()
	c.WallMillis += g.off.Milliseconds()
	return c
}

// TestDelayIsOnTime: the same on the wall clock.
func TestDelayIsOnTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newLeading(t, "a")
		b := startBroker(t, "a", g, nil)
		c := attached(t, b, 1)
		c.create("q")
		c.consume("q", 1)
		r, err := record.Append(nil, &record.Message{DelayMillis: uint64(time.Hour.Milliseconds()), Body: []byte("later")})
		if err != nil {
			t.Fatal(err)
		}
		_, before := g.counted()
		began := time.Now()
		c.wantCode(c.send(transport.OpPublish, transport.Publish{
			OpHeader: c.header(), Queue: "q", Count: 1, Records: wire.AppendBytes(nil, r),
		}), transport.CodeOK)
		synctest.Wait()
		time.Sleep(time.Hour - testWait/2)
		if _, after := g.counted(); after != before {
			t.Fatalf("%d entries before anything is due", after-before)
		}
		c.delivery()
		if took := time.Since(began); took < time.Hour || took > time.Hour+20*time.Millisecond {
			t.Fatalf("there after %v", took)
		}
		if _, after := g.counted(); after != before+1 {
			t.Fatalf("%d entries for one message that is due", after-before)
		}
		c.close()
	})
}

// TestTicksOfBothClocks: the runner sleeps until the first deadline by the
// clock that the next entry would carry, and notices a wall clock that is set.
func TestTicksOfBothClocks(t *testing.T) {
	g := &wallGroup{fakeGroup: newLeading(t, "a")}
	l := startBroker(t, "b", g, nil).lanes[0]
	wait := func(lease, wall time.Duration) time.Duration {
		var d fsm.Deadline
		now := g.Now()
		if lease != 0 {
			d.LeaseMillis = now.LeaseMillis + lease.Milliseconds()
		}
		if wall != 0 {
			d.WallMillis = now.WallMillis + wall.Milliseconds()
		}
		return timeLeft(d, now)
	}
	for _, tc := range []struct{ lease, wall, want time.Duration }{
		{0, 0, idleWake},
		{time.Hour, 0, idleWake},
		{3 * time.Second, 0, 3 * time.Second},
		{3 * time.Second, 100 * time.Millisecond, 100 * time.Millisecond},
		{0, time.Hour, wallLook},
		{-time.Second, time.Hour, -time.Second},
		{time.Hour, -time.Second, -time.Second},
	} {
		if got := wait(tc.lease, tc.wall); got != tc.want {
			t.Errorf("lease %v, wall %v: %v, want %v", tc.lease, tc.wall, got, tc.want)
		}
	}

	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.b.now()
	l.clock = clockState{lastEntry: now}
	if got := l.tickWait(now); got != idleWake {
		t.Errorf("nothing waits: %v", got)
	}
	l.clock.needs = true
	if got := l.tickWait(now + int64(4*time.Second)); got != clockAge-4*time.Second {
		t.Errorf("something waits on the lease clock: %v", got)
	}
	if got := l.tickWait(now + int64(clockAge)); got != 0 {
		t.Errorf("no entry for so long: %v", got)
	}
	l.clock.needs = false
	l.clock.deadline, l.clock.due = fsm.Deadline{WallMillis: g.Now().WallMillis + time.Hour.Milliseconds()}, true
	if got := l.tickWait(now); got != wallLook {
		t.Errorf("an hour by the wall clock: %v", got)
	}
	g.off = time.Hour
	if got := l.tickWait(now); got != 0 {
		t.Errorf("the wall clock was set: %v", got)
	}
	g.off = 0
	l.clock.deadline.WallMillis = g.Now().WallMillis + 1
	if got := l.tickWait(now); got > 0 && got < tickMin {
		t.Errorf("a sleep of %v", got)
	}
}

// TestTicksThatLeaveSomething: what an entry could not do is done by the next,
// at once; a deadline that never goes away is not ticked at for ever.
func TestTicksThatLeaveSomething(t *testing.T) {
	var c clockState
	left := clockState{at: fsm.Clock{LeaseMillis: 100}, deadline: fsm.Deadline{LeaseMillis: 100}, due: true}
	for i := range tickBurst - 1 {
		if c.take(left, true, 7); c.notBefore != 0 {
			t.Fatalf("tick %d waits", i)
		}
	}
	c.take(left, false, 7) // commands came: no tick
	if c.take(left, true, 7); c.notBefore != 7+int64(tickIdle) {
		t.Fatalf("%+v", c)
	}
	done := left
	done.deadline.LeaseMillis++
	if c.take(done, true, 7); c.notBefore != 0 || c.stuck != 0 {
		t.Fatalf("%+v", c)
	}
}

func TestLateness(t *testing.T) {
	c := clockState{at: fsm.Clock{LeaseMillis: 50, WallMillis: 1000}, deadline: fsm.Deadline{LeaseMillis: 60, WallMillis: 900}, due: true}
	got := map[string]time.Duration{}
	observe := func(clock string, late time.Duration) { got[clock] = late }
	c.lateness(fsm.Clock{LeaseMillis: 59, WallMillis: 1010}, fsm.Clock{LeaseMillis: 62, WallMillis: 1020}, observe)
	if len(got) != 0 {
		t.Fatalf("neither reached nor new: %v", got)
	}
	c.lateness(fsm.Clock{LeaseMillis: 65, WallMillis: 1010}, fsm.Clock{LeaseMillis: 72, WallMillis: 1020}, observe)
	if len(got) != 1 || got["lease"] != 12*time.Millisecond {
		t.Fatal(got)
	}
}
