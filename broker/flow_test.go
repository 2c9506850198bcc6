package broker

import (
	"fmt"
	"testing"

	"github.com/ferrymq/ferrymq/fsm"
	"github.com/ferrymq/ferrymq/transport"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// startBroker starts a broker for a node over a group.
func startBroker(t testing.TB, node string, g Group, peers *fakePeers, change ...func(*Options)) *Broker {
	t.Helper()
	if peers == nil {
		peers = newFakePeers(t, node)
	}
	o := Options{Node: node, Groups: []Group{g}, Peers: peers, Admin: &fakeAdmin{}}
	for _, f := range change {
		f(&o)
	}
	b, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if f, ok := g.(*fakeGroup); ok {
			f.release(nil) // as the end of a group would
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func TestPublishConsumeSettle(t *testing.T) {
	g := newLeading(t, "a")
	b := startBroker(t, "a", g, nil)
	c := attached(t, b, 1)
	c.create("q")
	r := c.wantCode(c.publish("q", "one", "two", "three"), transport.CodeOK)
	if r.Index == 0 {
		t.Fatal("no witness")
	}
	c.consume("q", 7)
	var ds []transport.Delivery
	for _, want := range []string{"one", "two", "three"} {
		d := c.delivery()
		if got := bodyOf(t, d); got != want || d.Handle != 1 || d.Consumer != 7 || d.Attempt != 1 || d.Token == 0 {
			t.Fatalf("delivered %q: %+v", got, d)
		}
		ds = append(ds, d)
	}
	if ds[0].Index != r.Index || ds[2].Position != r.Position+2 {
		t.Fatalf("ids %d-%d and %d-%d, confirmed %d-%d", ds[0].Index, ds[0].Position, ds[2].Index, ds[2].Position, r.Index, r.Position)
	}
	c.wantCode(c.settle(transport.ActionAck, ds...), transport.CodeOK)
	r = c.result(c.settle(transport.ActionAck, ds[0]))
	if len(r.Items) == 1 && r.Items[0].Code != transport.CodeLeaseLost || len(r.Items) == 0 && r.Code != transport.CodeLeaseLost {
		t.Fatalf("second ack: %+v", r)
	}
}

func TestOneFrameForEachEntry(t *testing.T) {
	g := newLeading(t, "a")
	b := startBroker(t, "a", g, nil)
	c := attached(t, b, 1)
	c.create("q")
	c.consume("q", 1)
	g.hold()
	var streams []uint32
	for i := range 20 {
		streams = append(streams, c.publish("q", fmt.Sprint(i)))
		if i < 2 {
			waitFor(t, "an entry under way", func() bool { return g.heldCount() == i+1 })
		}
	}
	waitFor(t, "the others queued", func() bool { return queuedOps(b, g) == 18 })
	before, _ := g.counted()
	g.release(nil)
	frames, results, deliveries := 0, 0, 0
	for results < len(streams) || deliveries < len(streams) {
		e := c.events()
		frames++
		results += len(e.Results)
		deliveries += len(e.Deliveries)
		if len(e.Results) != len(e.Deliveries) {
			t.Fatalf("%d results and %d deliveries of one entry", len(e.Results), len(e.Deliveries))
		}
	}
	after, _ := g.counted()
	if entries := 2 + after - before; frames != entries {
		t.Fatalf("%d frames for %d entries", frames, entries)
	}
	if after-before != 1 {
		t.Fatalf("what was queued took %d entries", after-before)
	}
}

func queuedOps(b *Broker, g Group) int {
	l := b.lanes[g.ID()]
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, x := range l.queue.batches {
		n += len(x.ops)
	}
	return n
}

func TestCodesAgree(t *testing.T) {
	codes := map[fsm.Code]transport.Code{
		fsm.OK: transport.CodeOK, fsm.Duplicate: transport.CodeDuplicate, fsm.Dropped: transport.CodeDropped,
		fsm.AlreadyDone: transport.CodeAlreadyDone, fsm.LeaseLost: transport.CodeLeaseLost, fsm.Busy: transport.CodeBusy,
		fsm.Conflict: transport.CodeConflict, fsm.NotFound: transport.CodeNotFound, fsm.Overtaken: transport.CodeOvertaken,
		fsm.OutOfOrder: transport.CodeOutOfOrder, fsm.SessionExpired: transport.CodeSessionExpired, fsm.Fenced: transport.CodeFenced,
		fsm.TooLarge: transport.CodeTooLarge, fsm.Invalid: transport.CodeInvalid, fsm.Unsupported: transport.CodeUnsupported,
		fsm.Denied: transport.CodeDenied, fsm.InUse: transport.CodeInUse,
	}
	for f, x := range codes {
		if uint16(f) != uint16(x) {
			t.Errorf("fsm %d, transport %d (%v)", f, x, x)
		}
	}
	causes := map[fsm.Cause]transport.Cause{
		fsm.CauseNone: transport.CauseNone, fsm.CauseMessages: transport.CauseMessages, fsm.CauseBytes: transport.CauseBytes,
		fsm.CauseWindow: transport.CauseWindow, fsm.CauseSessions: transport.CauseSessions, fsm.CauseExpired: transport.CauseExpired,
		fsm.CauseSettled: transport.CauseSettled, fsm.CauseSessionEnded: transport.CauseSessionEnded,
		fsm.CauseQueueGone: transport.CauseQueueGone, fsm.CauseNotHolder: transport.CauseNotHolder,
		fsm.CauseUnknownToken: transport.CauseUnknownToken,
	}
	for f, x := range causes {
		if uint8(f) != uint8(x) {
			t.Errorf("fsm cause %d, transport %d (%v)", f, x, x)
		}
	}
	for _, x := range []struct{ f, t int }{
		{int(fsm.ActionAck), int(transport.ActionAck)}, {int(fsm.ActionNack), int(transport.ActionNack)},
		{int(fsm.ActionReject), int(transport.ActionReject)}, {int(fsm.ActionExtend), int(transport.ActionExtend)},
		{int(fsm.ReasonMessage), int(transport.ReasonMessage)}, {int(fsm.ReasonDownstream), int(transport.ReasonDownstream)},
		{int(fsm.ReasonShutdown), int(transport.ReasonShutdown)}, {int(fsm.ReasonUnstarted), int(transport.ReasonUnstarted)},
	} {
		if x.f != x.t {
			t.Errorf("actions or reasons differ: %d, %d", x.f, x.t)
		}
	}
}
