package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ferrymq/ferrymq/fsm/record"
	"github.com/ferrymq/ferrymq/transport"
)

// fakeCluster is a scripted cluster: a small model of sessions and operation
// numbers, answered at once, and hooks that let a test do otherwise.
type fakeCluster struct {
	t *testing.T

	mu       sync.Mutex
	nodes    map[string]*fakeNode // by address
	leader   string               // name
	sessions map[transport.SessionID]*fakeSession
	opens    []transport.Open
	index    uint64
	applied  []appliedMessage
	settled  []transport.SettleItem
	credits  []transport.Credit
	consumes []transport.Consume
	cancels  []transport.Cancel
	attaches []transport.Attach
	ended    int
	seen     []transport.OpHeader // of every operation that arrived
	hook     func(c *fakeConn, f transport.Frame) bool
	verdict  func(op transport.Op, payload []byte) *transport.Result // nil: accept
	leaseMs  uint32                                                  // of what is delivered

	fakeOps
}

type appliedMessage struct{ queue, body string }

type fakeSession struct {
	secret   transport.Secret
	epoch    uint64
	judged   uint64
	answered uint64
	kept     map[uint64]transport.Result
	conn     *fakeConn
	handle   uint32
}

type fakeNode struct {
	cluster *fakeCluster
	name    string
	addr    string
	down    bool
	cutOff  bool // from the other nodes: it knows no leader
	dials   int
	conns   map[*fakeConn]struct{}
}

type fakeConn struct {
	node    *fakeNode
	t       *transport.Conn
	handles map[uint32]fakeHandle
}

type fakeHandle struct {
	session transport.SessionID
	epoch   uint64
}

func newFakeCluster(t *testing.T, names ...string) *fakeCluster {
	c := &fakeCluster{
		t: t, nodes: map[string]*fakeNode{}, leader: names[0],
		sessions: map[transport.SessionID]*fakeSession{}, index: 100, leaseMs: 10_000,
	}
	for _, name := range names {
		addr := name + ":7700"
		c.nodes[addr] = &fakeNode{cluster: c, name: name, addr: addr, conns: map[*fakeConn]struct{}{}}
	}
	return c
}

// dial is the client's dialer.
func (c *fakeCluster) dial(ctx context.Context, addr string) (net.Conn, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.nodes[addr]
	if n == nil || n.down {
		return nil, fmt.Errorf("connection to %s refused", addr)
	}
	n.dials++
	here, there := net.Pipe()
	go n.serve(there)
	return here, nil
}

func (c *fakeCluster) connect(opts ...Option) *Conn {
	c.t.Helper()
	addrs := slices.Sorted(maps.Keys(c.nodes))
	url := "ferry://" + addrs[0]
	conn, err := Dial(c.t.Context(), url, append([]Option{WithDialer(c.dial)}, opts...)...)
	if err != nil {
		c.t.Fatal(err)
	}
	return conn
}

func (n *fakeNode) serve(nc net.Conn) {
	if _, err := transport.ReadPreface(nc); err != nil {
		nc.Close()
		return
	}
	fc := &fakeConn{node: n, t: transport.NewConn(nc, transport.ConnOptions{}), handles: map[uint32]fakeHandle{}}
	defer fc.t.Close()
	c := n.cluster
	c.mu.Lock()
	n.conns[fc] = struct{}{}
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		delete(n.conns, fc)
		c.mu.Unlock()
	}()
	for {
		f, err := fc.t.ReadFrame(nil)
		if err != nil {
			if !errors.Is(err, io.EOF) && !errors.Is(err, transport.ErrClosed) && !errors.Is(err, io.ErrClosedPipe) {
				c.t.Logf("fake %s: %v", n.name, err)
			}
			return
		}
		c.mu.Lock()
		hook := c.hook
		c.mu.Unlock()
		if hook != nil && hook(fc, f) {
			continue
		}
		fc.take(f)
	}
}

func (fc *fakeConn) send(op transport.Op, stream uint32, body interface{ AppendTo([]byte) []byte }) {
	// A connection that was cut by the test drops what it gets.
	_ = fc.t.TrySend(transport.Frame{Op: op, Stream: stream, Payload: body.AppendTo(nil)})
}

func (fc *fakeConn) answer(stream uint32, r transport.Result) {
	r.Stream = stream
	fc.send(transport.OpEvents, 0, &transport.Events{Results: []transport.Result{r}})
}

func (c *fakeCluster) group() transport.GroupInfo {
	g := transport.GroupInfo{Group: 0, Leader: c.leader, Term: 1}
	if c.leader != "" {
		g.LeaderAddr = c.leader + ":7700"
	}
	return g
}

// take is what a real node would do, roughly.
func (fc *fakeConn) take(f transport.Frame) {
	c := fc.node.cluster
	c.mu.Lock()
	defer c.mu.Unlock()
	if fc.node.cutOff && fc.refuse(f) {
		return
	}
	switch f.Op {
	case transport.OpHello:
		ok := transport.HelloOK{
			Version: 1, Node: fc.node.name, FrameMax: transport.FrameMax, MessageMax: transport.MessageMax,
			MessagesMax: transport.MessagesMax, WindowMax: transport.WindowMax, HeartbeatMs: 2000,
			Groups: []transport.GroupInfo{fc.node.group()},
		}
		for _, addr := range slices.Sorted(maps.Keys(c.nodes)) {
			ok.Nodes = append(ok.Nodes, transport.NodeInfo{Node: c.nodes[addr].name, ClientAddr: addr})
		}
		fc.send(transport.OpHelloOK, f.Stream, ok)
	case transport.OpPing:
		_ = fc.t.TrySend(transport.Frame{Op: transport.OpPong, Stream: f.Stream})
	case transport.OpOpen:
		var open transport.Open
		c.must(open.Decode(f.Payload))
		c.opens = append(c.opens, open)
		if c.sessions[open.Session] == nil {
			c.sessions[open.Session] = &fakeSession{secret: open.Secret, kept: map[uint64]transport.Result{}}
		}
		fc.answer(f.Stream, transport.Result{Index: c.next()})
	case transport.OpAttach:
		fc.attach(f)
	case transport.OpEnd:
		c.ended++
	case transport.OpCredit:
		var credit transport.Credit
		c.must(credit.Decode(f.Payload))
		c.credits = append(c.credits, credit)
	case transport.OpQuery:
		fc.send(transport.OpQueryReply, f.Stream, transport.QueryReply{Body: c.query(f.Payload)})
	case transport.OpControl:
		fc.send(transport.OpQueryReply, f.Stream, transport.QueryReply{})
	case transport.OpAwait:
		fc.await(f)
	case transport.OpPong:
	default:
		fc.operate(f)
	}
}

func (c *fakeCluster) must(err error) {
	if err != nil {
		c.t.Error(err)
	}
}

func (c *fakeCluster) next() uint64 {
	c.index++
	return c.index
}

func (c *fakeCluster) query(payload []byte) []byte {
	var q transport.Query
	c.must(q.Decode(payload))
	switch q.Kind {
	case "queue":
		info := transport.QueueInfo{Name: q.Name, Ready: 7}
		if !strings.HasSuffix(q.Name, ".dlq") {
			info.DeadLetter = q.Name + ".dlq"
		}
		return info.AppendTo(nil)
	case "queues":
		if q.After == "" {
			return transport.QueueList{Queues: []transport.QueueInfo{{Name: "a"}, {Name: "b"}}, More: true}.AppendTo(nil)
		}
		return transport.QueueList{Queues: []transport.QueueInfo{{Name: "c"}}}.AppendTo(nil)
	case transport.QueryCluster:
	default:
		return c.lookMore(q)
	}
	return transport.ClusterInfo{Node: "n1", Groups: []transport.GroupStatus{{Leader: c.leader, Alarms: []string{"disk"}}}}.AppendTo(nil)
}

func (fc *fakeConn) attach(f transport.Frame) {
	c := fc.node.cluster
	var a transport.Attach
	c.must(a.Decode(f.Payload))
	c.attaches = append(c.attaches, a)
	s := c.sessions[a.Session]
	switch {
	case c.leader == "":
		fc.answer(f.Stream, transport.Result{Code: transport.CodeNoLeader})
	case s == nil:
		fc.answer(f.Stream, transport.Result{Code: transport.CodeSessionExpired})
	case s.secret != a.Secret:
		fc.answer(f.Stream, transport.Result{Code: transport.CodeDenied})
	case a.Epoch < s.epoch:
		fc.answer(f.Stream, transport.Result{Code: transport.CodeFenced, Value: s.epoch})
	default:
		s.epoch, s.conn, s.handle = a.Epoch, fc, a.Handle
		fc.handles[a.Handle] = fakeHandle{a.Session, a.Epoch}
		fc.answer(f.Stream, transport.Result{Index: c.next(), Value: s.judged})
	}
}

// session that a handle of the connection stands for.
func (c *fakeCluster) session(fc *fakeConn, handle uint32) *fakeSession {
	return c.sessions[fc.handles[handle].session]
}

func (fc *fakeConn) operate(f transport.Frame) {
	c := fc.node.cluster
	h, err := transport.DecodeOpHeader(f.Payload)
	c.must(err)
	c.seen = append(c.seen, h)
	s := c.session(fc, h.Handle)
	if s == nil {
		fc.answer(f.Stream, transport.Result{Code: transport.CodeSessionExpired})
		return
	}
	if s.epoch != fc.handles[h.Handle].epoch {
		fc.answer(f.Stream, transport.Result{Code: transport.CodeFenced, Value: s.epoch})
		return
	}
	s.answered = max(s.answered, h.AnsweredThrough)
	for n := range s.kept {
		if n <= s.answered {
			delete(s.kept, n)
		}
	}
	r, known := s.kept[h.Number]
	switch {
	case h.Number <= s.answered:
		r = transport.Result{Code: transport.CodeAlreadyDone}
	case h.Number <= s.judged && !known:
		r = transport.Result{Code: transport.CodeOvertaken}
	case !known:
		if h.Number > s.answered+transport.WindowMax {
			c.t.Errorf("operation %d is outside of the window above %d", h.Number, s.answered)
		}
		r = fc.apply(f)
		s.judged = h.Number
		s.kept[h.Number] = r
	}
	fc.answer(f.Stream, r)
}

// apply judges an operation that is new.
func (fc *fakeConn) apply(f transport.Frame) transport.Result {
	c := fc.node.cluster
	r := transport.Result{Index: c.next()}
	if c.verdict != nil {
		if v := c.verdict(f.Op, f.Payload); v != nil {
			v.Index = r.Index
			return *v
		}
	}
	switch f.Op {
	case transport.OpPublish:
		var p transport.Publish
		c.must(p.Decode(f.Payload))
		c.must(transport.EachRecord(p.Records, p.Count, func(b []byte) error {
			v, err := record.Parse(b)
			c.applied = append(c.applied, appliedMessage{p.Queue, string(v.Body())})
			return err
		}))
	case transport.OpSettle:
		var s transport.Settle
		c.must(s.Decode(f.Payload))
		c.settled = append(c.settled, s.Items...)
	case transport.OpConsume:
		var k transport.Consume
		c.must(k.Decode(f.Payload))
		c.consumes = append(c.consumes, k)
	case transport.OpCancel:
		var k transport.Cancel
		c.must(k.Decode(f.Payload))
		c.cancels = append(c.cancels, k)
	case transport.OpQueuePurge:
		r.Value = 3
	default:
		c.applyMore(fc, f, &r)
	}
	return r
}

func (c *fakeCluster) view() view {
	c.mu.Lock()
	defer c.mu.Unlock()
	return view{
		slices.Clone(c.attaches), slices.Clone(c.consumes), slices.Clone(c.cancels), slices.Clone(c.credits),
		slices.Clone(c.seen), c.ended, len(c.sessions),
	}
}

const second = time.Second
