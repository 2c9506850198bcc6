package broker

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ferrymq/ferrymq/fsm"
	"github.com/ferrymq/ferrymq/transport"
)

// TestTraceForgets: the ring keeps the newest events and tells since when it
// has them all.
func TestTraceForgets(t *testing.T) {
	tr := NewTrace(3)
	add := func(index uint64, message uint32, detail string) {
		tr.Add(fsm.TraceEvent{Index: index, WallMillis: int64(index) * 10, ID: fsm.ID{Index: 1, Position: message}, Kind: fsm.TraceReady, Detail: detail})
	}
	want := func(message uint32, from uint64, fromMs int64, indexes ...uint64) {
		t.Helper()
		r := tr.find(fsm.ID{Index: 1, Position: message})
		var got []uint64
		for _, e := range r.Events {
			got = append(got, e.Index)
		}
		if fmt.Sprint(got) != fmt.Sprint(indexes) || r.FromIndex != from || r.FromMs != fromMs {
			t.Fatalf("message %d: entries %v, all since %d (%d ms); want %v, %d, %d", message, got, r.FromIndex, r.FromMs, indexes, from, fromMs)
		}
	}
	want(0, 1, 0)
	add(5, 0, "")
	add(6, 1, "")
	add(7, 0, "")
	want(0, 1, 0, 5, 7)
	add(8, 0, "")
	want(0, 6, 50, 7, 8)
	want(1, 6, 50, 6)
	add(9, 1, strings.Repeat("x", 3*traceTextBytes))
	want(1, 7, 60, 9)
	want(0, 7, 60, 7, 8)
	add(10, 0, "y") // no room for its detail beside the other's
	want(0, 10, 90, 10)
	want(1, 10, 90)
	tr.Restored(20, 200)
	want(0, 21, 200)
	add(21, 0, "")
	want(0, 21, 200, 21)
}

// TestTraceGrowsInPlace: an entry that is applied waits neither for a copy of
// all events so far nor for the memory of all that there may be.
func TestTraceGrowsInPlace(t *testing.T) {
	const events = 3*traceBlock + 1
	tr := NewTrace(events)
	tr.Add(fsm.TraceEvent{Index: 1})
	first := tr.at(0)
	for i := uint64(2); i <= 2*events; i++ {
		if tr.Add(fsm.TraceEvent{Index: i}); tr.at(0) != first {
			t.Fatalf("event %d moved the first", i)
		}
		blocks := 0
		for _, b := range tr.blocks {
			if b != nil {
				blocks++
			}
		}
		if want := (min(i, events) + traceBlock - 1) / traceBlock; blocks != int(want) {
			t.Fatalf("%d blocks for %d events", blocks, i)
		}
		if tr.at(i-1).Index != i {
			t.Fatalf("event %d is not there", i)
		}
	}
}

// TestTraceQuery: the life of a message is known by every replica, after the
// message is gone, and asked of the leader.
func TestTraceQuery(t *testing.T) {
	tr := NewTrace(100)
	p := newPair(t, func(o *Options) { o.Trace = func(uint32) *Trace { return tr } })
	p.g.View(func(s *fsm.State) { s.SetTrace(tr.Add) })
	c := attached(t, p.b, 1)
	c.create("q")
	c.consume("q", 7)
	r := c.wantCode(c.publish("q", "x"), transport.CodeOK)
	c.wantCode(c.settle(transport.ActionAck, c.delivery()), transport.CodeOK)
	for _, stale := range []bool{false, true} {
		var reply transport.TraceReply
		c.ask(transport.Query{Kind: transport.QueryTrace, Stale: stale, Body: transport.TraceQuery{Index: r.Index, Position: r.Position}.AppendTo(nil)}, &reply)
		if len(reply.Events) != 3 || reply.FromIndex != 1 {
			t.Fatalf("%+v", reply)
		}
		if e := reply.Events[0]; e.Kind != transport.TracePublished || e.Session != sessionID(1) || e.Consumer != 0 || e.Node != "b" {
			t.Fatalf("%+v", e)
		}
		if e := reply.Events[2]; e.Kind != transport.TraceAcked || e.Session != sessionID(1) || e.Consumer != 7 || e.Node != "b" || e.Queue != "q" {
			t.Fatalf("%+v", e)
		}
	}
}
