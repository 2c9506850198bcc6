package broker

import (
	"testing"

	"github.com/ferrymq/ferrymq/fsm"
	"github.com/ferrymq/ferrymq/transport"
)

// TestResultsOfAnEarlierLinkAreDropped: a node that was started anew counts
// its commands from the beginning. What is answered late must not be taken
// for the answer to one of those.
func TestResultsOfAnEarlierLinkAreDropped(t *testing.T) {
	p := newPair(t)
	near := attached(t, p.a, 2)
	near.create("q")
	c := attached(t, p.b, 1)
	p.g.hold()
	c.publish("q", "1") // the third command of its node
	waitFor(t, "the entry under way", func() bool { return p.g.heldCount() == 1 })
	disconnect(p.pa, p.pb, p.a, p.b)
	info, _ := p.g.Leader()
	p.b = startBroker(t, "b", &follower{fakeGroup: p.g, leader: info}, p.pb)
	connect(p.pa, p.pb, p.a, p.b)

	anew := connectTo(t, p.b)
	anew.hello()
	var streams []uint32
	for range 3 {
		streams = append(streams, anew.send(transport.OpOpen, transport.Open{Session: sessionID(9), IdleExpiryMs: 1}))
	}
	waitFor(t, "as many commands sent", func() bool {
		l := p.b.lanes[0]
		l.mu.Lock()
		defer l.mu.Unlock()
		return len(l.sent.ops)-l.sent.head == 3
	})
	p.g.release(nil)
	for i := range streams {
		anew.wantCode(streams[2-i], transport.CodeInvalid) // the one with the publish's number first
	}
}

// TestNothingOvertakesWhatIsUnderWay: an entry of a leader that is no more may
// be lost. What its session sends behind it must wait for its client to attach.
func TestNothingOvertakesWhatIsUnderWay(t *testing.T) {
	g := newLeading(t, "a")
	b := startBroker(t, "a", g, nil)
	c := attached(t, b, 1)
	c.create("q")
	g.hold()
	first := c.publish("q", "1")
	waitFor(t, "the entry under way", func() bool { return g.heldCount() == 1 })
	b.LeaderChanged(0, transport.GroupInfo{Term: 2}, false)
	b.LeaderChanged(0, transport.GroupInfo{Leader: "a", Term: 3}, true)
	second := c.publish("q", "2") // the client has not read that it is to attach
	c.wantCode(second, transport.CodeNoLeader)
	g.release(transport.Errorf(transport.CodeUnknownOutcome, "as told"))
	c.wantCode(first, transport.CodeUnknownOutcome)
	c.attach(1, 1)
	c.number = 1
	c.wantCode(c.publish("q", "1"), transport.CodeOK)
	c.wantCode(c.publish("q", "2"), transport.CodeOK)
}

// TestRefusedGenerationStaysRefused: a leader that begins anew still refuses
// what was sent before its node learned of a failure.
func TestRefusedGenerationStaysRefused(t *testing.T) {
	p := newPair(t)
	c := attached(t, p.b, 1)
	c.create("q")
	l := p.a.lanes[0]
	info, _ := p.g.Leader()
	p.a.LeaderChanged(0, transport.GroupInfo{Term: info.Term}, false)
	c.wantCode(c.publish("q", "1"), transport.CodeNoLeader)
	p.a.LeaderChanged(0, info, true)
	late := transport.PeerSubmit{First: 900, Count: 1, Commands: fsm.AppendEnd(nil, &fsm.End{Session: fsm.SessionID{7}, Epoch: 1})}
	before, _ := p.g.counted()
	p.a.PeerFrame("b", transport.Frame{Op: transport.OpPeerSubmit, Payload: late.AppendTo(nil)})
	l.mu.Lock()
	refused := l.refused[p.a.peer("b")]
	l.mu.Unlock()
	if after, _ := p.g.counted(); after != before || refused == 0 {
		t.Fatal("a command of an old generation was taken")
	}
}

// TestLeadershipBegunAnewReachesOtherNodes: its first entry detached their
// sessions as well, and they see neither another leader nor another term.
func TestLeadershipBegunAnewReachesOtherNodes(t *testing.T) {
	p := newPair(t)
	far, near := attached(t, p.b, 1), attached(t, p.a, 2)
	far.create("q")
	far.consume("q", 1)
	info, _ := p.g.Leader()
	p.a.LeaderChanged(0, transport.GroupInfo{Term: info.Term}, false)
	p.a.LeaderChanged(0, p.g.elect("a", info.Term), true)
	far.nextOp(transport.OpReattach)
	far.attach(1, 1)
	near.nextOp(transport.OpReattach)
	near.attach(2, 1)
	near.wantCode(near.publish("q", "x"), transport.CodeOK)
	far.delivery()
}

// TestRefusalsDoNotLoseWhatIsUnderWay: the leader refuses at once what its
// memory has no room for, ahead of the answers to what came before.
func TestRefusalsDoNotLoseWhatIsUnderWay(t *testing.T) {
	p := newPair(t, func(o *Options) { o.MemoryLimit = 100 })
	c := attached(t, p.b, 1)
	c.create("q")
	c.wantCode(c.publish("q", string(make([]byte, 200))), transport.CodeOK)
	c.consume("q", 1)
	d := c.delivery()
	p.g.hold()
	ack := c.settle(transport.ActionAck, d)
	waitFor(t, "the entry under way", func() bool { return p.g.heldCount() == 1 })
	full := c.wantCode(c.publish("q", "x"), transport.CodeBusy)
	if full.Cause != transport.CauseMemory {
		t.Fatalf("%+v", full)
	}
	p.g.release(nil)
	c.wantCode(ack, transport.CodeOK)
}

// TestDetachOutlivesABusyLog: nobody else says that a connection is gone.
func TestDetachOutlivesABusyLog(t *testing.T) {
	p := newPair(t)
	c := attached(t, p.b, 1)
	p.g.failWith(transport.CodeBusy)
	before, _ := p.g.counted()
	c.close()
	waitFor(t, "the log refuses the detach", func() bool { n, _ := p.g.counted(); return n > before })
	p.g.failWith(transport.CodeOK)
	waitFor(t, "the session is detached", func() bool {
		var x fsm.SessionInfo
		p.g.View(func(s *fsm.State) { x, _ = s.Session(fsm.SessionID{1}) })
		return x.Node == ""
	})
}
