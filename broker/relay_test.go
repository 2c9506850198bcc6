package broker

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/ferrymq/ferrymq/fsm"
	"github.com/ferrymq/ferrymq/transport"
)

// pair is two nodes: a leads, b forwards.
type pair struct {
	g      *fakeGroup
	pa, pb *fakePeers
	a, b   *Broker
}

func newPair(t *testing.T, change ...func(*Options)) *pair {
	g := newLeading(t, "a")
	info, _ := g.Leader()
	p := &pair{g: g, pa: newFakePeers(t, "a"), pb: newFakePeers(t, "b")}
	p.a = startBroker(t, "a", g, p.pa, change...)
	p.b = startBroker(t, "b", &follower{fakeGroup: g, leader: info}, p.pb, change...)
	connect(p.pa, p.pb, p.a, p.b)
	t.Cleanup(func() {
		g.release(nil)
		disconnect(p.pa, p.pb, p.a, p.b)
	})
	return p
}

func TestRelay(t *testing.T) {
	p := newPair(t)
	far, near := attached(t, p.b, 1), attached(t, p.a, 2)
	far.create("q")
	far.consume("q", 3)
	r := near.wantCode(near.publish("q", "from a"), transport.CodeOK)
	d := far.delivery()
	if bodyOf(t, d) != "from a" || d.Handle != 1 || d.Consumer != 3 || d.Index != r.Index {
		t.Fatalf("%+v", d)
	}
	far.wantCode(far.publish("q", "from b", "and another"), transport.CodeOK)
	d2, d3 := far.delivery(), far.delivery()
	if bodyOf(t, d2) != "from b" || bodyOf(t, d3) != "and another" {
		t.Fatal("wrong order")
	}
	far.wantCode(far.settle(transport.ActionAck, d, d2, d3), transport.CodeOK)
	far.wantCode(far.send(transport.OpQueueDelete, transport.QueueDelete{OpHeader: far.header(), Queue: "q"}), transport.CodeOK)
	e := far.eventsWith(func(e *transport.Events) bool { return len(e.Closed) > 0 })
	if x := e.Closed[0]; x.Handle != 1 || x.Consumer != 3 || x.Code != transport.CodeNotFound {
		t.Fatalf("%+v", x)
	}
}

// TestLinkLoss: what was forwarded has an unknown outcome, the sessions are
// detached before a new link brings anything, and clients attach again.
func TestLinkLoss(t *testing.T) {
	p := newPair(t)
	c := attached(t, p.b, 1)
	c.create("q")
	p.g.hold()
	sent := c.publish("q", "1")
	waitFor(t, "the entry under way", func() bool { return p.g.heldCount() == 1 })
	disconnect(p.pa, p.pb, p.a, p.b)
	c.wantCode(sent, transport.CodeUnknownOutcome)
	if r := c.reattach(); r.Group.Leader != "" || r.Group.LeaderAddr != "" {
		t.Fatalf("a leader out of reach is told: %+v", r)
	}
	c.wantCode(c.publish("q", "2"), transport.CodeNoLeader)
	p.g.release(nil)
	waitFor(t, "the session is detached", func() bool {
		var x fsm.SessionInfo
		p.g.View(func(s *fsm.State) { x, _ = s.Session(fsm.SessionID{1}) })
		return x.Node == ""
	})
	connect(p.pa, p.pb, p.a, p.b)
	if r := c.reattach(); r.Group.Leader != "a" {
		t.Fatalf("the leader within reach is not told: %+v", r)
	}
	c.attach(1, 1)
	c.number = 1
	first := c.wantCode(c.publish("q", "1"), transport.CodeOK) // applied before: its kept result
	second := c.wantCode(c.publish("q", "2"), transport.CodeOK)
	if first.Index >= second.Index {
		t.Fatalf("entries %d and %d", first.Index, second.Index)
	}
}

// TestLeaderRefusesGeneration: once the leader failed a forwarded command, it
// takes nothing of what was sent behind it.
func TestLeaderRefusesGeneration(t *testing.T) {
	p := newPair(t)
	c := attached(t, p.b, 1)
	c.create("q")
	p.g.failWith(transport.CodeUnknownOutcome)
	c.wantCode(c.publish("q", "1"), transport.CodeUnknownOutcome)
	p.g.failWith(transport.CodeOK)

	l := p.b.lanes[0]
	l.mu.Lock()
	next := l.sent.next
	l.mu.Unlock()
	if next>>generationShift == 0 {
		t.Fatal("no new generation after a failure")
	}
	late := transport.PeerSubmit{First: 900, Count: 1, Commands: fsm.AppendEnd(nil, &fsm.End{Session: fsm.SessionID{1}, Epoch: 1})}
	before, _ := p.g.counted()
	p.a.PeerFrame("b", transport.Frame{Op: transport.OpPeerSubmit, Payload: late.AppendTo(nil)})
	if after, _ := p.g.counted(); after != before || queuedOps(p.a, p.g) != 0 {
		t.Fatal("a command of an old generation was taken")
	}
	c.attach(1, 1)
	c.number = 1
	c.wantCode(c.publish("q", "1"), transport.CodeOK)
}

// TestOldLeader: a node that no longer leads refuses what is forwarded to it.
func TestOldLeader(t *testing.T) {
	p := newPair(t)
	c := attached(t, p.b, 1)
	c.create("q")
	p.a.LeaderChanged(0, transport.GroupInfo{Term: 2}, false)
	c.wantCode(c.publish("q", "1"), transport.CodeNoLeader)
	info := p.g.elect("a", 3)
	p.a.LeaderChanged(0, info, true)
	p.b.LeaderChanged(0, info, false)
	c.nextOp(transport.OpReattach)
	c.attach(1, 1)
	c.number = 1
	c.wantCode(c.publish("q", "1"), transport.CodeOK)
}

// TestBrokenPeerFrames: another node's mistakes stop nothing.
func TestBrokenPeerFrames(t *testing.T) {
	p := newPair(t)
	c := attached(t, p.a, 1)
	c.create("q")
	leader := transport.PeerSubmit{First: 1, Count: 1, Commands: fsm.AppendLeader(nil, &fsm.Leader{Node: "b"})}
	for _, f := range []transport.Frame{
		{Op: transport.OpPeerSubmit, Payload: []byte{0xc1}},
		{Op: transport.OpPeerEvents, Payload: []byte{0x90}},
		{Op: transport.OpPublish},
		{Op: transport.OpPeerSubmit, Payload: transport.PeerSubmit{Group: 9}.AppendTo(nil)},
		{Op: transport.OpPeerSubmit, Payload: leader.AppendTo(nil)},
	} {
		p.a.PeerFrame("b", f)
	}
	c.wantCode(c.publish("q", "x"), transport.CodeOK)
}

func TestQueries(t *testing.T) {
	p := newPair(t)
	c := attached(t, p.b, 1)
	c.create("orders")
	c.wantCode(c.publish("orders", "x"), transport.CodeOK)
	ask := func(q transport.Query) transport.QueryReply {
		t.Helper()
		s := c.send(transport.OpQuery, q)
		f := c.next("reply", func(f transport.Frame) bool { return f.Stream == s })
		if f.Op != transport.OpQueryReply {
			var e transport.Error
			_ = e.Decode(f.Payload)
			t.Fatalf("%+v", e)
		}
		var r transport.QueryReply
		if err := r.Decode(f.Payload); err != nil {
			t.Fatal(err)
		}
		return r
	}
	var info transport.QueueInfo
	for _, stale := range []bool{false, true} {
		r := ask(transport.Query{Kind: "queue", Name: "orders", Stale: stale})
		if err := info.Decode(r.Body); err != nil || info.Ready != 1 || info.DeadLetter != "orders.dlq" || r.Stale != stale || r.Index == 0 {
			t.Fatalf("%+v, %+v, %v", r, info, err)
		}
	}
	var list transport.QueueList
	if err := list.Decode(ask(transport.Query{Kind: "queues"}).Body); err != nil || len(list.Queues) != 2 {
		t.Fatalf("%+v, %v", list, err)
	}
	ask(transport.Query{Kind: "cluster"})
	var nodes []transport.NodeInfo
	if err := transport.Unmarshal(ask(transport.Query{Kind: "nodes"}).Body, &nodes); err != nil || len(nodes) != 2 {
		t.Fatalf("%+v, %v", nodes, err)
	}
	s := c.send(transport.OpControl, transport.Control{Kind: "transfer-leader"})
	c.next("reply", func(f transport.Frame) bool { return f.Stream == s && f.Op == transport.OpQueryReply })

	p.g.mu.Lock()
	p.g.verify = transport.Errorf(transport.CodeNotLeader, "")
	p.g.mu.Unlock()
	for q, code := range map[*transport.Query]transport.Code{
		{Kind: "queue", Name: "orders"}:            transport.CodeNoLeader,
		{Kind: "queue", Name: "none", Stale: true}: transport.CodeNotFound,
		{Kind: "weather"}:                          transport.CodeUnsupported,
		{Kind: "queues", Group: 4}:                 transport.CodeNotFound,
	} {
		s := c.send(transport.OpQuery, *q)
		f := c.next("error", func(f transport.Frame) bool { return f.Stream == s && f.Op == transport.OpError })
		var e transport.Error
		if err := e.Decode(f.Payload); err != nil || e.Code != code {
			t.Fatalf("%+v: %+v, %v", q, e, err)
		}
	}
}

// TestOwnCommandsPauseWithoutALink: a link may end some time before the broker
// is told. What it has to say by itself is not sent again and again meanwhile;
// in the bubble, time would stand still.
func TestOwnCommandsPauseWithoutALink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		p.pb.down("a")
		p.pb.mu.Lock()
		p.pb.keep = true
		p.pb.mu.Unlock()
		detach := fsm.AppendDetach(nil, &fsm.Detach{Session: fsm.SessionID{1}, Epoch: 1, Node: "b"})
		p.b.lanes[0].submitOwn(owed{kind: fsm.KindDetach, command: detach})
		time.Sleep(time.Second)
		p.pb.mu.Lock()
		tries := len(p.pb.sent)
		p.pb.mu.Unlock()
		if most := int(time.Second.Nanoseconds()/holdNanos) + 2; tries < 2 || tries > most {
			t.Errorf("sent %d times in a second, at most %d are due", tries, most)
		}
	})
}
