package cli

import (
	"net"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ferrymq/ferrymq/fsm/record"
	"github.com/ferrymq/ferrymq/transport"
	"github.com/ferrymq/ferrymq/transport/wire"
)

type body interface{ AppendTo([]byte) []byte }

// fakeNode is a scripted node: it accepts every operation, unless it is told
// otherwise, and answers queries with what it was given.
type fakeNode struct {
	t   *testing.T
	url string

	mu        sync.Mutex
	ops       []fakeOp
	queries   []transport.Query
	replies   map[string]body                   // to queries, by kind
	verdicts  map[transport.Op]transport.Result // of operations
	answer    *transport.Answer                 // to every request
	deliver   []transport.Delivery              // to the next consumer
	loses     bool                              // its leader, behind those
	changes   bool                              // its leader, behind the next reply to a query; no other one is answered
	held      []transport.Delivery              // held up: they come just before the next reply to a query
	queryCode transport.Code                    // refuses every query, if it is set
}

type fakeOp struct {
	op      transport.Op
	payload []byte
}

func newFakeNode(t *testing.T) *fakeNode {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	n := &fakeNode{t: t, url: "ferry://" + l.Addr().String(), replies: map[string]body{}, verdicts: map[transport.Op]transport.Result{}}
	var conns sync.WaitGroup
	conns.Go(func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			conns.Go(func() { n.serve(nc) })
		}
	})
	t.Cleanup(func() {
		require.NoError(t, l.Close())
		conns.Wait()
	})
	return n
}

// run runs a command against the node and expects an exit code.
func (n *fakeNode) run(code int, in string, args ...string) ran {
	n.t.Helper()
	r := ferry(n.t, map[string]string{"FERRY_URL": n.url}, in, args...)
	require.Equal(n.t, code, r.code, "ferry %q: %s%s", args, r.out, r.err)
	return r
}

// fakeNodeConn is one connection to it.
type fakeNodeConn struct {
	n        *fakeNode
	t        *transport.Conn
	handle   uint32
	consumer uint32
}

func (n *fakeNode) serve(nc net.Conn) {
	defer nc.Close()
	if _, err := transport.ReadPreface(nc); err != nil {
		return // a client that went away
	}
	c := &fakeNodeConn{n: n, t: transport.NewConn(nc, transport.ConnOptions{})}
	defer c.t.Close()
	for {
		f, err := c.t.ReadFrame(nil)
		if err != nil {
			return
		}
		n.mu.Lock()
		c.take(f)
		n.mu.Unlock()
	}
}

func (c *fakeNodeConn) send(op transport.Op, stream uint32, b body) {
	_ = c.t.TrySend(transport.Frame{Op: op, Stream: stream, Payload: b.AppendTo(nil)}) // a client that went away
}

func (c *fakeNodeConn) result(stream uint32, r transport.Result) {
	r.Stream = stream
	c.send(transport.OpEvents, 0, &transport.Events{Results: []transport.Result{r}})
}

func (c *fakeNodeConn) take(f transport.Frame) {
	n := c.n
	switch f.Op {
	case transport.OpHello:
		c.send(transport.OpHelloOK, f.Stream, transport.HelloOK{
			Version: 1, Node: "n1", FrameMax: transport.FrameMax, MessageMax: transport.MessageMax,
			MessagesMax: transport.MessagesMax, WindowMax: transport.WindowMax, HeartbeatMs: 2000,
			Groups: []transport.GroupInfo{{Leader: "n1", Term: 1}},
		})
	case transport.OpPing:
		_ = c.t.TrySend(transport.Frame{Op: transport.OpPong, Stream: f.Stream})
	case transport.OpOpen:
		c.result(f.Stream, transport.Result{Index: 1})
	case transport.OpAttach:
		var a transport.Attach
		require.NoError(n.t, a.Decode(f.Payload))
		c.handle = a.Handle
		r, ok := n.verdicts[f.Op]
		if !ok {
			r = transport.Result{Index: 2}
		}
		c.result(f.Stream, r)
	case transport.OpQuery:
		var q transport.Query
		require.NoError(n.t, q.Decode(f.Payload))
		q.Body = slices.Clone(q.Body)
		n.queries = append(n.queries, q)
		if n.queryCode != 0 {
			c.send(transport.OpError, f.Stream, transport.Errorf(n.queryCode, "%s", q.Kind))
			return
		}
		reply, ok := n.replies[q.Kind]
		if !ok {
			c.send(transport.OpError, f.Stream, transport.Errorf(transport.CodeNotFound, "%s", q.Kind))
			return
		}
		c.handOut(n.held, c.consumer)
		n.held = nil
		c.send(transport.OpQueryReply, f.Stream, transport.QueryReply{Body: reply.AppendTo(nil)})
		if n.changes {
			n.queryCode = transport.CodeNoLeader
			c.send(transport.OpReattach, 0, transport.Reattach{Handle: c.handle, Group: transport.GroupInfo{Leader: "n1", Term: 2}})
		}
	case transport.OpEnd, transport.OpCredit, transport.OpPong:
	default:
		n.ops = append(n.ops, fakeOp{f.Op, slices.Clone(f.Payload)})
		c.operate(f)
	}
}

func (c *fakeNodeConn) operate(f transport.Frame) {
	n := c.n
	r, ok := n.verdicts[f.Op]
	if !ok {
		r = transport.Result{Index: 100, Value: 3}
	}
	c.result(f.Stream, r)
	h, err := transport.DecodeOpHeader(f.Payload)
	require.NoError(n.t, err)
	switch {
	case f.Op == transport.OpRequest && n.answer != nil:
		a := *n.answer
		a.Handle, a.Number = h.Handle, h.Number
		c.send(transport.OpEvents, 0, &transport.Events{Answers: []transport.Answer{a}})
	case f.Op == transport.OpConsume:
		var k transport.Consume
		require.NoError(n.t, k.Decode(f.Payload))
		c.consumer = k.Consumer
		c.handOut(n.deliver, k.Consumer)
		n.deliver = nil
		if n.loses {
			n.verdicts[transport.OpAttach] = transport.Result{Code: transport.CodeNoLeader}
			c.send(transport.OpReattach, 0, transport.Reattach{Handle: c.handle})
		}
	}
}

func (c *fakeNodeConn) handOut(all []transport.Delivery, consumer uint32) {
	var e transport.Events
	for _, d := range all {
		d.Handle, d.Consumer = c.handle, consumer
		e.Deliveries = append(e.Deliveries, d)
	}
	if len(all) > 0 {
		c.send(transport.OpEvents, 0, &e)
	}
}

// lastOp decodes the last operation of a kind.
func (n *fakeNode) lastOp(op transport.Op, into interface{ Decode([]byte) error }) {
	n.t.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, o := range slices.Backward(n.ops) {
		if o.op == op {
			require.NoError(n.t, into.Decode(o.payload))
			return
		}
	}
	require.Fail(n.t, "no "+op.String())
}

// countOps of a kind.
func (n *fakeNode) countOps(op transport.Op) (count int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, o := range n.ops {
		if o.op == op {
			count++
		}
	}
	return count
}

// tell sets what it answers.
func (n *fakeNode) tell(f func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	f()
}

// recordOf is a message as bytes.
func recordOf(t *testing.T, m *record.Message) []byte {
	t.Helper()
	b, err := record.Append(nil, m)
	require.NoError(t, err)
	return b
}

// sent is the record of a frame that has one.
func sent(t *testing.T, records []byte) *record.Message {
	t.Helper()
	c := wire.NewCursor(records)
	v, err := record.Parse(c.Bytes())
	require.NoError(t, err)
	m := v.Message()
	return &m
}
