package broker

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/ferrymq/ferrymq/fsm/record"
	"github.com/ferrymq/ferrymq/transport"
	"github.com/ferrymq/ferrymq/transport/wire"
)

// testWait is how long something may take on a machine with other work to do.
const testWait = time.Minute

// testClient speaks the protocol by hand.
type testClient struct {
	t      testing.TB
	c      *transport.Conn
	frames chan transport.Frame
	ended  chan error
	stream uint32
	number uint64

	early []transport.Frame // read while another was waited for
}

// connectTo connects a client to a broker, over a pipe.
func connectTo(t testing.TB, b *Broker) *testClient {
	t.Helper()
	ours, theirs := net.Pipe()
	served := make(chan struct{})
	go func() {
		defer close(served)
		b.Serve(theirs, transport.Preface{Kind: transport.KindClient})
	}()
	c := newTestClient(t, ours)
	t.Cleanup(func() {
		c.close()
		<-served
	})
	return c
}

func newTestClient(t testing.TB, nc net.Conn) *testClient {
	c := &testClient{
		t: t, c: transport.NewConn(nc, transport.ConnOptions{}),
		frames: make(chan transport.Frame, 1024), ended: make(chan error, 1),
	}
	go func() {
		defer close(c.frames)
		for {
			f, err := c.c.ReadFrame(nil)
			if err != nil {
				c.ended <- err
				return
			}
			if f.Op == transport.OpPing {
				_ = c.c.TrySend(transport.Frame{Op: transport.OpPong, Stream: f.Stream})
				continue
			}
			c.frames <- f
		}
	}()
	return c
}

func (c *testClient) close() {
	_ = c.c.Close()
	for range c.frames { // until its reader ended
	}
}

type payload interface{ AppendTo([]byte) []byte }

// send sends a request and returns its stream.
func (c *testClient) send(op transport.Op, m payload) uint32 {
	c.t.Helper()
	c.stream++
	f := transport.Frame{Op: op, Stream: c.stream}
	if m != nil {
		f.Payload = m.AppendTo(nil)
	}
	ctx, cancel := context.WithTimeout(context.Background(), testWait)
	defer cancel()
	if err := c.c.Send(ctx, f); err != nil {
		c.t.Fatalf("send %v: %v", op, err)
	}
	return c.stream
}

// next returns the next frame that want accepts, and keeps the others.
func (c *testClient) next(what string, want func(transport.Frame) bool) transport.Frame {
	c.t.Helper()
	for i, f := range c.early {
		if want(f) {
			c.early = append(c.early[:i:i], c.early[i+1:]...)
			return f
		}
	}
	timer := time.NewTimer(testWait)
	defer timer.Stop()
	for {
		select {
		case f, ok := <-c.frames:
			if !ok {
				c.t.Fatalf("connection ended while waiting for %s: %v", what, <-c.ended)
			}
			if want(f) {
				return f
			}
			c.early = append(c.early, f)
		case <-timer.C:
			c.t.Fatalf("no %s; other frames: %v", what, c.early)
		}
	}
}

func (c *testClient) nextOp(op transport.Op) transport.Frame {
	c.t.Helper()
	return c.next(op.String(), func(f transport.Frame) bool { return f.Op == op })
}

// reattach is the next Reattach.
func (c *testClient) reattach() transport.Reattach {
	c.t.Helper()
	var r transport.Reattach
	if err := r.Decode(c.nextOp(transport.OpReattach).Payload); err != nil {
		c.t.Fatal(err)
	}
	return r
}

func (c *testClient) hello() transport.HelloOK {
	c.t.Helper()
	c.send(transport.OpHello, transport.Hello{VersionMin: 1, VersionMax: 1, Client: "test"})
	var ok transport.HelloOK
	if err := ok.Decode(c.nextOp(transport.OpHelloOK).Payload); err != nil {
		c.t.Fatal(err)
	}
	return ok
}

func (c *testClient) events() transport.Events {
	c.t.Helper()
	return decodeEvents(c.t, c.nextOp(transport.OpEvents))
}

func decodeEvents(t testing.TB, f transport.Frame) transport.Events {
	t.Helper()
	var e transport.Events
	if err := e.Decode(f.Payload); err != nil {
		t.Fatal(err)
	}
	return e
}

// result waits for the answer to a stream. What else the frame has is kept for
// others.
func (c *testClient) result(stream uint32) transport.Result {
	c.t.Helper()
	var r transport.Result
	e := c.eventsWith(func(e *transport.Events) bool {
		for _, x := range e.Results {
			if x.Stream == stream {
				r = x
				return true
			}
		}
		return false
	})
	rest := transport.Events{Deliveries: e.Deliveries, Closed: e.Closed, Answers: e.Answers}
	for _, x := range e.Results {
		if x.Stream != stream {
			rest.Results = append(rest.Results, x)
		}
	}
	c.putBack(&rest)
	return r
}

func (c *testClient) putBack(e *transport.Events) {
	if len(e.Results)+len(e.Deliveries)+len(e.Closed)+len(e.Answers) > 0 {
		c.early = append([]transport.Frame{{Op: transport.OpEvents, Payload: e.AppendTo(nil)}}, c.early...)
	}
}

func (c *testClient) delivery() transport.Delivery {
	c.t.Helper()
	e := c.eventsWith(func(e *transport.Events) bool { return len(e.Deliveries) > 0 })
	c.putBack(&transport.Events{Results: e.Results, Deliveries: e.Deliveries[1:], Closed: e.Closed, Answers: e.Answers})
	return e.Deliveries[0]
}

func (c *testClient) eventsWith(want func(*transport.Events) bool) transport.Events {
	c.t.Helper()
	f := c.next("events", func(f transport.Frame) bool {
		if f.Op != transport.OpEvents {
			return false
		}
		e := decodeEvents(c.t, f)
		return want(&e)
	})
	return decodeEvents(c.t, f)
}

func (c *testClient) wantCode(stream uint32, code transport.Code) transport.Result {
	c.t.Helper()
	r := c.result(stream)
	if r.Code != code {
		c.t.Fatalf("result %v (%s), want %v", r.Code, r.Detail, code)
	}
	return r
}

func sessionID(n byte) transport.SessionID { return transport.SessionID{n} }

// attached says hello, opens session n and attaches it as handle 1.
func attached(t testing.TB, b *Broker, n byte) *testClient {
	t.Helper()
	c := connectTo(t, b)
	c.hello()
	c.wantCode(c.send(transport.OpOpen, transport.Open{Session: sessionID(n)}), transport.CodeOK)
	c.attach(n, 1)
	return c
}

func (c *testClient) attach(n byte, epoch uint64, tokens ...uint64) transport.Result {
	c.t.Helper()
	a := transport.Attach{Handle: 1, Session: sessionID(n), Epoch: epoch, Tokens: tokens}
	return c.wantCode(c.send(transport.OpAttach, a), transport.CodeOK)
}

func (c *testClient) header() transport.OpHeader {
	c.number++
	return transport.OpHeader{Handle: 1, Number: c.number}
}

func (c *testClient) create(queue string) {
	c.t.Helper()
	c.wantCode(c.send(transport.OpQueueCreate, transport.QueueCreate{OpHeader: c.header(), Queue: queue}), transport.CodeOK)
}

func (c *testClient) publish(queue string, bodies ...string) uint32 {
	c.t.Helper()
	return c.send(transport.OpPublish, publishOf(c.header(), queue, bodies...))
}

func (c *testClient) consume(queue string, consumer uint32) transport.Result {
	c.t.Helper()
	return c.wantCode(c.send(transport.OpConsume, transport.Consume{OpHeader: c.header(), Consumer: consumer, Queue: queue}), transport.CodeOK)
}

func (c *testClient) settle(action transport.Action, ds ...transport.Delivery) uint32 {
	c.t.Helper()
	return c.send(transport.OpSettle, transport.Settle{OpHeader: c.header(), Items: settlesOf(action, ds...)})
}

func publishOf(h transport.OpHeader, queue string, bodies ...string) transport.Publish {
	p := transport.Publish{OpHeader: h, Queue: queue, Count: uint32(len(bodies))}
	for _, b := range bodies {
		p.Records = appendRecord(p.Records, &record.Message{Body: []byte(b)})
	}
	return p
}

// dedupOf publishes messages whose ids are their bodies.
func dedupOf(h transport.OpHeader, queue string, bodies ...string) transport.Publish {
	p := transport.Publish{OpHeader: h, Queue: queue, Count: uint32(len(bodies))}
	for _, b := range bodies {
		p.Records = appendRecord(p.Records, &record.Message{Body: []byte(b), DedupID: b})
	}
	return p
}

func appendRecord(dst []byte, m *record.Message) []byte {
	r, err := record.Append(nil, m)
	if err != nil {
		panic(err)
	}
	return wire.AppendBytes(dst, r)
}

func bodyOf(t testing.TB, d transport.Delivery) string {
	t.Helper()
	v, err := record.Parse(d.Record)
	if err != nil {
		t.Fatal(err)
	}
	return string(v.Body())
}

// commit acks deliveries and publishes to a queue in one step.
func (c *testClient) commit(ds []transport.Delivery, queue string, bodies ...string) uint32 {
	c.t.Helper()
	m := transport.Commit{OpHeader: c.header(), Settles: settlesOf(transport.ActionAck, ds...)}
	if len(bodies) > 0 {
		p := publishOf(transport.OpHeader{}, queue, bodies...)
		m.Publishes = []transport.CommitPublish{{Queue: queue, Count: p.Count, Records: p.Records}}
	}
	return c.send(transport.OpCommit, m)
}

func settlesOf(action transport.Action, ds ...transport.Delivery) (items []transport.SettleItem) {
	for _, d := range ds {
		items = append(items, transport.SettleItem{Incarnation: d.Incarnation, Place: d.Place, Token: d.Token, Action: action})
	}
	return items
}

// ask sends a query and decodes its reply.
func (c *testClient) ask(q transport.Query, into interface{ Decode([]byte) error }) transport.QueryReply {
	c.t.Helper()
	stream := c.send(transport.OpQuery, q)
	f := c.next("a reply", func(f transport.Frame) bool { return f.Stream == stream })
	if f.Op != transport.OpQueryReply {
		var e transport.Error
		_ = e.Decode(f.Payload)
		c.t.Fatalf("%s refused: %v", q.Kind, &e)
	}
	var reply transport.QueryReply
	if err := reply.Decode(f.Payload); err != nil {
		c.t.Fatal(err)
	}
	if err := into.Decode(reply.Body); err != nil {
		c.t.Fatal(err)
	}
	return reply
}
