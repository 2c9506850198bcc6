package broker

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ferrymq/ferrymq/transport"
)

// explained lists the kinds of the reasons for a queue.
func (c *testClient) explained(queue string) (kinds []string, reply transport.ExplainReply) {
	c.t.Helper()
	c.ask(transport.Query{Kind: transport.QueryExplain, Name: queue}, &reply)
	for _, r := range reply.Reasons {
		if r.Text == "" || r.Text == r.Kind {
			c.t.Errorf("%+v says nothing", r)
		}
		kinds = append(kinds, r.Kind)
	}
	return kinds, reply
}

// TestExplain: what the state, the leader's node and the road to it have to
// say, in the order of their weight.
func TestExplain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const mark = 1000
		var free atomic.Uint64
		free.Store(2 * mark)
		p := newPair(t, func(o *Options) {
			o.Disk = func() (uint64, uint64, error) { return free.Load(), mark, nil }
			if o.Node == "b" { // who does not lead refuses nothing
				o.Disk = func() (uint64, uint64, error) { return 0, mark, nil }
			}
		})
		near, far := attached(t, p.a, 1), attached(t, p.b, 2)
		near.create("q")
		want := func(kinds ...string) {
			t.Helper()
			for _, c := range []*testClient{near, far} {
				if got, reply := c.explained("q"); fmt.Sprint(got) != fmt.Sprint(kinds) {
					t.Fatalf("%v, want %v: %+v", got, kinds, reply)
				}
			}
		}
		want(transport.ExplainEmpty, transport.ExplainNoConsumer)
		far.consume("q", 1)
		far.wantCode(far.send(transport.OpQueuePause, transport.QueuePause{OpHeader: far.header(), Queue: "q", Paused: true}), transport.CodeOK)
		far.wantCode(far.publish("q", "x"), transport.CodeOK)
		want(transport.ExplainPaused)
		free.Store(mark - 1)
		awaitSample()
		want(transport.ExplainPaused, transport.ExplainDisk)
		var stale transport.ExplainReply
		far.ask(transport.Query{Kind: transport.QueryExplain, Name: "q", Stale: true}, &stale)
		if len(stale.Reasons) != 1 || stale.Reasons[0].Kind != transport.ExplainPaused {
			t.Fatalf("%+v", stale)
		}
		free.Store(2 * mark)
		awaitSample()

		p.g.mu.Lock()
		p.g.verify = transport.Errorf(transport.CodeTimeout, "no majority")
		p.g.mu.Unlock()
		want(transport.ExplainNoQuorum, transport.ExplainPaused)
		p.g.mu.Lock()
		p.g.verify = nil
		p.g.mu.Unlock()

		disconnect(p.pa, p.pb, p.a, p.b)
		if got, reply := far.explained("q"); got[0] != transport.ExplainNoLeader || reply.Reasons[0].Name != "a" ||
			reply.Reasons[0].Text != "node b has no link to the leader a" {
			t.Fatalf("%+v", reply)
		}
		stream := near.send(transport.OpQuery, transport.Query{Kind: transport.QueryExplain, Name: "none"})
		f := near.next("an error", func(f transport.Frame) bool { return f.Stream == stream })
		var e transport.Error
		if err := e.Decode(f.Payload); err != nil || f.Op != transport.OpError || e.Code != transport.CodeNotFound {
			t.Fatalf("%v: %+v, %v", f.Op, e, err)
		}
	})
}

// TestExplainExclusive: those that stand by are told of, and in other words
// when the active consumer is gone for now.
func TestExplainExclusive(t *testing.T) {
	p := newPair(t)
	active, other := attached(t, p.a, 1), attached(t, p.b, 2)
	active.wantCode(active.send(transport.OpQueueCreate, transport.QueueCreate{
		OpHeader: active.header(), Queue: "e", Settings: transport.QueueSettings{Exclusive: true}}), transport.CodeOK)
	active.wantCode(active.send(transport.OpConsume, transport.Consume{
		OpHeader: active.header(), Consumer: 1, Queue: "e", CreditMessages: 1}), transport.CodeOK)
	other.consume("e", 1)
	other.wantCode(other.publish("e", "x", "y"), transport.CodeOK)
	kinds, reply := other.explained("e")
	if want := []string{transport.ExplainNoCredit, transport.ExplainExclusiveWaits}; !slices.Equal(kinds, want) {
		t.Fatalf("%v, want %v", kinds, want)
	}
	if r := reply.Reasons[1]; r.Count != 1 || r.AtMs != 0 || r.Text != "the queue is exclusive: 1 consumer stands by for the active one" {
		t.Fatalf("%+v", r)
	}
	active.close()
	waitFor(t, "the active one is detached", func() bool {
		kinds, reply = other.explained("e")
		return slices.Equal(kinds, []string{transport.ExplainExclusiveWaits})
	})
	if r := reply.Reasons[0]; r.Count != 1 || r.AtMs == 0 || !strings.Contains(r.Text, "not connected") {
		t.Fatalf("%+v", r)
	}
}

// TestExplainAlone: who keeps a message blamed for a crash waiting is named, and
// so is what holds up the others while it is worked on.
func TestExplainAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		near, far := attached(t, p.a, 1), attached(t, p.b, 2)
		near.create("q")
		far.consume("q", 1)
		near.wantCode(near.publish("q", "poison"), transport.CodeOK)
		far.delivery()
		far.close() // a crash
		near.consume("q", 7)
		near.wantCode(near.publish("q", "x", "y"), transport.CodeOK)
		x, y := near.delivery(), near.delivery()

		asker := attached(t, p.b, 3)
		await := func(kind string) transport.ExplainReason {
			t.Helper()
			for range 100 {
				kinds, reply := asker.explained("q")
				if slices.Equal(kinds, []string{kind}) {
					return reply.Reasons[0]
				}
				time.Sleep(time.Second)
			}
			t.Fatal("never", kind)
			return transport.ExplainReason{}
		}
		r := await(transport.ExplainAloneWaits)
		if r.Count != 1 || r.Name != fmt.Sprintf("%x/7", sessionID(1)) || !strings.Contains(r.Text, "the rest, 2 in all") {
			t.Fatalf("%+v", r)
		}
		near.wantCode(near.settle(transport.ActionAck, x, y), transport.CodeOK)
		near.wantCode(near.publish("q", "z"), transport.CodeOK)
		if r := await(transport.ExplainAloneHeld); r.Count != 1 {
			t.Fatalf("%+v", r)
		}
		near.wantCode(near.settle(transport.ActionAck, near.delivery()), transport.CodeOK)
		await(transport.ExplainEmpty)
	})
}

// TestExplainTopicRefuses: who hears nothing of a topic because another
// subscription stops it is told which.
func TestExplainTopicRefuses(t *testing.T) {
	b := startBroker(t, "a", newLeading(t, "a"), nil)
	c := attached(t, b, 1)
	c.topicWith(1)
	c.wantCode(c.settle(transport.ActionAck, c.delivery()), transport.CodeOK)
	c.wantCode(c.send(transport.OpSubscribe, transport.Subscribe{OpHeader: c.header(), Topic: "t", Filter: ">", Queue: "must",
		Required: true, Settings: transport.QueueSettings{MaxMessages: 1}}), transport.CodeOK)
	c.wantCode(c.publish("t", "x"), transport.CodeOK)
	c.wantCode(c.settle(transport.ActionAck, c.delivery()), transport.CodeOK)
	c.wantCode(c.publish("t", "y"), transport.CodeBusy)
	kinds, reply := c.explained("s00")
	if !slices.Equal(kinds, []string{transport.ExplainEmpty, transport.ExplainTopicRefuses}) || reply.Reasons[1].Name != "must" || reply.Reasons[1].TakesBytes != -1 {
		t.Fatalf("%+v", reply)
	}
}

// TestExplainTellsTheLargest: who hears nothing of large messages because another
// subscription is nearly full is told how large they may be, unless no client may
// publish larger ones.
func TestExplainTellsTheLargest(t *testing.T) {
	const messageMax = 2048
	b := startBroker(t, "a", newLeading(t, "a"), nil, func(o *Options) { o.MessageMax = messageMax })
	c := attached(t, b, 1)
	c.topicWith(1)
	c.wantCode(c.settle(transport.ActionAck, c.delivery()), transport.CodeOK)
	c.wantCode(c.send(transport.OpSubscribe, transport.Subscribe{OpHeader: c.header(), Topic: "t", Filter: ">", Queue: "must",
		Required: true, Settings: transport.QueueSettings{MaxBytes: messageMax + 1000}}), transport.CodeOK)
	publish := func(size int, code transport.Code) {
		t.Helper()
		c.wantCode(c.publish("t", strings.Repeat("x", size)), code)
		if code == transport.CodeOK {
			c.wantCode(c.settle(transport.ActionAck, c.delivery()), transport.CodeOK)
		}
	}
	publish(1000, transport.CodeOK)
	if kinds, reply := c.explained("s00"); !slices.Equal(kinds, []string{transport.ExplainEmpty}) {
		t.Fatalf("%+v", reply)
	}
	publish(1, transport.CodeOK)
	_, reply := c.explained("s00")
	if len(reply.Reasons) != 2 {
		t.Fatalf("%+v", reply)
	}
	if r := reply.Reasons[1]; r.Kind != transport.ExplainTopicRefuses || r.Name != "must" || r.TakesBytes != messageMax-1 ||
		r.Text != "the topic refuses messages above 2047 bytes that its required subscription must matches, as that is nearly full" {
		t.Fatalf("%+v", reply)
	}
	publish(messageMax, transport.CodeBusy)
	publish(messageMax-1, transport.CodeOK)
}

// TestExplainFullConnection: a consumer whose client takes nothing is told of,
// whichever node is asked.
func TestExplainFullConnection(t *testing.T) {
	p := newPair(t)
	near, far := attached(t, p.a, 1), attached(t, p.b, 2)
	near.create("q")
	far.consume("q", 1)
	for _, h := range p.b.lanes[0].sessions.all() {
		h.conn.mu.Lock()
		h.conn.requests += h.conn.b.o.RequestsMax
		h.conn.mu.Unlock()
	}
	for _, b := range []*Broker{p.a, p.b} {
		other := connectTo(t, b)
		other.hello()
		kinds, reply := other.explained("q")
		if want := []string{transport.ExplainEmpty, transport.ExplainWindow}; !slices.Equal(kinds, want) {
			t.Fatalf("%v, want %v: %+v", kinds, want, reply)
		}
		if r := reply.Reasons[1]; r.Name != "b" || r.Count != 1 || r.Text != "1 consumer at node b does not take what it is sent" {
			t.Fatalf("%+v", r)
		}
	}
}
