package broker

import (
	"testing"

	"github.com/ferrymq/ferrymq/fsm"
	"github.com/ferrymq/ferrymq/transport"
)

// TestFailedEntryTakesQueueWithIt: nothing overtakes an operation that failed,
// and the handle is refused until the client attached again.
func TestFailedEntryTakesQueueWithIt(t *testing.T) {
	g := newLeading(t, "a")
	b := startBroker(t, "a", g, nil)
	c := attached(t, b, 1)
	other := attached(t, b, 2)
	c.create("q")
	g.hold()
	first := c.publish("q", "1")
	waitFor(t, "an entry under way", func() bool { return g.heldCount() == 1 })
	second := c.publish("q", "2")
	waitFor(t, "two entries under way", func() bool { return g.heldCount() == 2 })
	third, fourth := c.publish("q", "3"), c.publish("q", "4")
	waitFor(t, "the rest queued", func() bool { return queuedOps(b, g) == 2 })
	g.release(transport.Errorf(transport.CodeUnknownOutcome, "as told"))

	for _, x := range []struct {
		stream uint32
		code   transport.Code
	}{
		{first, transport.CodeUnknownOutcome}, {second, transport.CodeUnknownOutcome},
		{third, transport.CodeNoLeader}, {fourth, transport.CodeNoLeader},
	} {
		if r := c.wantCode(x.stream, x.code); r.RetryAfterMs == 0 {
			t.Fatal("does not say when to try again")
		}
	}
	c.wantCode(c.publish("q", "5"), transport.CodeNoLeader) // the handle is broken
	other.wantCode(other.publish("q", "other"), transport.CodeOK)

	c.attach(1, 1)
	c.number = 1 // resends from the first publish, under the same numbers
	for _, m := range []string{"1", "2", "3", "4", "5"} {
		c.wantCode(c.publish("q", m), transport.CodeOK)
	}
}

func TestAnswersOfFailures(t *testing.T) {
	for _, tc := range []struct{ told, want transport.Code }{
		{transport.CodeNotLeader, transport.CodeNoLeader},
		{transport.CodeBusy, transport.CodeNoLeader},
		{transport.CodeUnknownOutcome, transport.CodeUnknownOutcome},
		{transport.CodeShuttingDown, transport.CodeShuttingDown},
	} {
		t.Run(tc.told.String(), func(t *testing.T) {
			g := newLeading(t, "a")
			c := attached(t, startBroker(t, "a", g, nil), 1)
			c.create("q")
			g.failWith(tc.told)
			c.wantCode(c.publish("q", "x"), tc.want)
			g.failWith(transport.CodeOK)
			c.attach(1, 1)
			c.wantCode(c.publish("q", "x"), transport.CodeOK)
		})
	}
}

func TestNoLeaderAndReattach(t *testing.T) {
	g := newLeading(t, "a")
	b := startBroker(t, "a", g, nil)
	c := attached(t, b, 1)
	c.create("q")
	c.consume("q", 1)
	c.wantCode(c.publish("q", "x"), transport.CodeOK)
	d := c.delivery()

	b.LeaderChanged(0, transport.GroupInfo{Term: 2}, false)
	if lost := c.reattach(); lost.Handle != 1 || lost.Group.Leader != "" || lost.Group.Term != 2 {
		t.Fatalf("%+v", lost)
	}
	c.wantCode(c.publish("q", "y"), transport.CodeNoLeader)
	c.wantCode(c.send(transport.OpAttach, transport.Attach{Handle: 1, Session: sessionID(1), Epoch: 1}), transport.CodeNoLeader)
	b.LeaderChanged(0, g.elect("a", 3), true)
	if r := c.reattach(); r.Handle != 1 || r.Group.Leader != "a" || r.Group.Term != 3 {
		t.Fatalf("%+v", r)
	}
	c.wantCode(c.publish("q", "y"), transport.CodeNoLeader) // not attached again yet
	c.attach(1, 1, d.Token)
	c.number -= 2
	c.wantCode(c.publish("q", "y"), transport.CodeOK)
	if d := c.delivery(); bodyOf(t, d) != "y" {
		t.Fatal("a lease that the client holds was delivered again")
	}
	c.wantCode(c.settle(transport.ActionAck, d), transport.CodeOK)
}

// TestRedelivery: what the client does not hold comes again with the attach.
func TestRedelivery(t *testing.T) {
	g := newLeading(t, "a")
	b := startBroker(t, "a", g, nil)
	c := attached(t, b, 1)
	c.create("q")
	c.consume("q", 1)
	c.wantCode(c.publish("q", "x"), transport.CodeOK)
	first := c.delivery()
	b.LeaderChanged(0, g.elect("a", 2), true)
	c.nextOp(transport.OpReattach)
	c.attach(1, 1)
	if again := c.delivery(); again.Token != first.Token || bodyOf(t, again) != "x" {
		t.Fatalf("%+v, first %+v", again, first)
	}
}

func TestConnectionEndDetaches(t *testing.T) {
	g := newLeading(t, "a")
	b := startBroker(t, "a", g, nil)
	c := attached(t, b, 1)
	node := func() (node string) {
		g.View(func(s *fsm.State) {
			x, _ := s.Session(fsm.SessionID{1})
			node = x.Node
		})
		return node
	}
	if node() != "a" {
		t.Fatalf("attached through %q", node())
	}
	c.close()
	waitFor(t, "the session is detached", func() bool { return node() == "" })
}

// TestDetachIsRepeated: the end of a connection is not forgotten when its
// entry fails.
func TestDetachIsRepeated(t *testing.T) {
	g := newLeading(t, "a")
	b := startBroker(t, "a", g, nil)
	c := attached(t, b, 1)
	g.failWith(transport.CodeBusy)
	before, _ := g.counted()
	c.close()
	waitFor(t, "a second try", func() bool { n, _ := g.counted(); return n >= before+2 })
	g.failWith(transport.CodeOK)
	waitFor(t, "the session is detached", func() bool {
		var x fsm.SessionInfo
		g.View(func(s *fsm.State) { x, _ = s.Session(fsm.SessionID{1}) })
		return x.Node == ""
	})
}

// TestHigherEpochTakesOver: a second connection attaches the session, the
// first is fenced and hears nothing more.
func TestHigherEpochTakesOver(t *testing.T) {
	g := newLeading(t, "a")
	b := startBroker(t, "a", g, nil)
	old := attached(t, b, 1)
	old.create("q")
	old.consume("q", 1)
	next := connectTo(t, b)
	next.hello()
	next.attach(1, 2)
	next.number = old.number
	next.wantCode(next.publish("q", "x"), transport.CodeOK)
	if d := next.delivery(); bodyOf(t, d) != "x" {
		t.Fatal("wrong message")
	}
	if r := old.wantCode(old.publish("q", "y"), transport.CodeFenced); r.Value != 2 {
		t.Fatalf("fenced by epoch %d, want 2", r.Value)
	}
	old.close()
	// Its end must not detach the session of the other connection.
	next.wantCode(next.publish("q", "z"), transport.CodeOK)
	if d := next.delivery(); bodyOf(t, d) != "z" {
		t.Fatal("wrong message")
	}
}

func TestEndOfSession(t *testing.T) {
	g := newLeading(t, "a")
	b := startBroker(t, "a", g, nil)
	c := attached(t, b, 1)
	c.create("q")
	c.wantCode(c.send(transport.OpEnd, transport.End{Handle: 1}), transport.CodeOK)
	c.wantCode(c.publish("q", "x"), transport.CodeSessionExpired)
	// The handle may be another session's now.
	c.wantCode(c.send(transport.OpOpen, transport.Open{Session: sessionID(2)}), transport.CodeOK)
	c.number = 0
	c.attach(2, 1)
	c.wantCode(c.publish("q", "x"), transport.CodeOK)
}

// TestTicks: entries come by themselves when the state waits for time, and
// none when it does not.
func TestTicks(t *testing.T) {
	g := newLeading(t, "a")
	b := startBroker(t, "a", g, nil)
	c := attached(t, b, 1)
	c.create("q")
	r := c.send(transport.OpConsume, transport.Consume{OpHeader: c.header(), Consumer: 1, Queue: "q", LeaseMs: fsm.MinLeaseMillis})
	c.wantCode(r, transport.CodeOK)
	c.wantCode(c.publish("q", "x"), transport.CodeOK)
	if d := c.delivery(); d.Attempt != 1 {
		t.Fatalf("%+v", d)
	}
	if d := c.delivery(); d.Attempt != 2 || bodyOf(t, d) != "x" { // the lease ran out
		t.Fatalf("%+v", d)
	}
	if _, ticks := g.counted(); ticks == 0 || ticks > 20 {
		t.Fatalf("%d entries without commands", ticks)
	}
}
