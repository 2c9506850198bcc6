package broker

import (
	"github.com/ferrymq/ferrymq/fsm"
	"github.com/ferrymq/ferrymq/fsm/body"
	"github.com/ferrymq/ferrymq/transport"
)

// delivery is a message on its way to a client. Its record is in head.Record
// if it came over a link, and else loaded from ref when there is room for it.
type delivery struct {
	head   transport.Delivery
	handle *handle
	ref    body.Ref
}

// answer is how a request ended, on its way to the client that asked. Its
// record is loaded as that of a delivery.
type answer struct {
	head   transport.Answer
	handle *handle
	ref    body.Ref
}

// outItem is what one entry has for one connection.
type outItem struct {
	results    []transport.Result
	deliveries []delivery
	closed     []transport.Closed
	answers    []answer
	requests   int // operations that this ends
	cost       int // bytes counted for those
}

// relayItem is what one entry has for the connections of another node.
type relayItem struct {
	began      bool  // this node began to lead anew in the same term
	asker      *peer // who the results are for; nil without any
	results    []transport.PeerResult
	deliveries []relayed
	closed     []transport.PeerClosed
	answers    []relayedAnswer
}

type relayed struct {
	head transport.PeerDelivery
	ref  body.Ref
}

type relayedAnswer struct {
	head transport.PeerAnswer
	ref  body.Ref
}

// grouping sorts what one entry did by whom it is for. It belongs to one
// goroutine and is used for one entry after the other.
type grouping struct {
	lane  *lane
	conns map[*conn]*outItem
	nodes map[string]*relayItem

	lastConn *conn // the same connection comes many times in a row
	lastItem *outItem
}

func newGrouping(l *lane) *grouping {
	return &grouping{lane: l, conns: map[*conn]*outItem{}, nodes: map[string]*relayItem{}}
}

func (g *grouping) conn(c *conn) *outItem {
	if g.lastConn == c {
		return g.lastItem
	}
	item := g.conns[c]
	if item == nil {
		item = &outItem{}
		g.conns[c] = item
	}
	g.lastConn, g.lastItem = c, item
	return item
}

func (g *grouping) node(name string) *relayItem {
	item := g.nodes[name]
	if item == nil {
		item = &relayItem{}
		g.nodes[name] = item
	}
	return item
}

// peerResult files the answer to a command that another node forwarded. A
// link that ended has nobody to answer: the node may have been started anew,
// and would take it for the answer to another command of the same number.
func (g *grouping) peerResult(o *op, r transport.Result) {
	if o.peer.ctx.Err() != nil {
		return
	}
	item := g.node(o.peer.name)
	item.asker = o.peer
	item.results = append(item.results, transport.PeerResult{Number: o.number, Result: r})
}

// result files the answer to a local operation. A Credit is never answered.
func (g *grouping) result(o *op, r transport.Result) {
	item := g.conn(o.conn)
	item.requests++
	item.cost += int(o.cost)
	if o.kind == fsm.KindCredit {
		return
	}
	r.Stream = o.stream
	item.results = append(item.results, r)
}

// effects files deliveries, closings and answers. What is for a session that is no
// longer attached here in that epoch is void.
func (g *grouping) effects(effects []fsm.Effect) {
	if len(effects) == 0 {
		return
	}
	self := g.lane.b.o.Node
	s := &g.lane.sessions
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range effects {
		e := &effects[i]
		if e.Node != self {
			g.relay(e)
			continue
		}
		h := s.find(e.Session, e.Epoch)
		if h == nil {
			continue
		}
		item := g.conn(h.conn)
		switch e.Kind {
		case fsm.EffectClosed:
			item.closed = append(item.closed, transport.Closed{Handle: h.number, Consumer: e.Consumer, Code: transport.Code(e.Code)})
		case fsm.EffectAnswer:
			a := answer{head: answerOf(e), handle: h, ref: e.Body}
			a.head.Handle = h.number
			item.answers = append(item.answers, a)
		default:
			d := delivery{head: headOf(e), handle: h, ref: e.Body}
			d.head.Handle = h.number
			item.deliveries = append(item.deliveries, d)
		}
	}
}

func (g *grouping) relay(e *fsm.Effect) {
	item := g.node(e.Node)
	session := transport.SessionID(e.Session)
	switch e.Kind {
	case fsm.EffectClosed:
		item.closed = append(item.closed, transport.PeerClosed{
			Session: session, Epoch: e.Epoch,
			Closed: transport.Closed{Consumer: e.Consumer, Code: transport.Code(e.Code)},
		})
	case fsm.EffectAnswer:
		item.answers = append(item.answers, relayedAnswer{
			head: transport.PeerAnswer{Session: session, Epoch: e.Epoch, Answer: answerOf(e)},
			ref:  e.Body,
		})
	default:
		item.deliveries = append(item.deliveries, relayed{
			head: transport.PeerDelivery{Session: session, Epoch: e.Epoch, Delivery: headOf(e)},
			ref:  e.Body,
		})
	}
}

func answerOf(e *fsm.Effect) transport.Answer {
	return transport.Answer{
		Number: e.Number, Code: transport.Code(e.Code),
		Group: e.ID.Group, Index: e.ID.Index, Position: e.ID.Position,
	}
}

func headOf(e *fsm.Effect) transport.Delivery {
	d := transport.Delivery{
		Consumer: e.Consumer, Incarnation: e.Incarnation, Place: e.Place, Token: e.Token, Number: e.Number,
		Group: e.ID.Group, Index: e.ID.Index, Position: e.ID.Position,
		Attempt: e.Attempt, Failures: e.Failures, LeaseMs: e.LeaseMillis, EnqueuedMs: e.EnqueuedMillis,
		Request: e.Request,
	}
	if e.Death != nil {
		d.Death = deathOf(e.Death)
	}
	return d
}

func deathOf(d *fsm.Death) *transport.Death {
	return &transport.Death{
		Queue: d.Queue, Reason: d.Reason, Attempts: d.Attempts,
		Failures: d.Failures, Error: d.Error, AtMs: d.AtMillis,
		History: attemptsOf(d.History), Forgotten: d.Forgotten,
	}
}

func attemptsOf(list []fsm.Attempt) []transport.Attempt {
	var out []transport.Attempt
	for i := range list {
		a := &list[i]
		out = append(out, transport.Attempt{
			AtMs: a.AtMillis, Session: transport.SessionID(a.Session), Consumer: a.Consumer, Token: a.Token, Error: a.Error,
		})
	}
	return out
}

// fromLeader files what the leader sent for the connections of this node. The
// caller has taken care of the results.
func (g *grouping) fromLeader(e *transport.PeerEvents) {
	s := &g.lane.sessions
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range e.Deliveries {
		p := &e.Deliveries[i]
		h := s.find(fsm.SessionID(p.Session), p.Epoch)
		if h == nil {
			continue
		}
		d := delivery{head: p.Delivery, handle: h}
		d.head.Handle = h.number
		item := g.conn(h.conn)
		item.deliveries = append(item.deliveries, d)
	}
	for _, x := range e.Closed {
		if h := s.find(fsm.SessionID(x.Session), x.Epoch); h != nil {
			x.Closed.Handle = h.number
			item := g.conn(h.conn)
			item.closed = append(item.closed, x.Closed)
		}
	}
	for i := range e.Answers {
		p := &e.Answers[i]
		if h := s.find(fsm.SessionID(p.Session), p.Epoch); h != nil {
			a := answer{head: p.Answer, handle: h}
			a.head.Handle = h.number
			item := g.conn(h.conn)
			item.answers = append(item.answers, a)
		}
	}
}

// flush hands everything on and is ready for the next entry.
func (g *grouping) flush() {
	for c, item := range g.conns {
		c.push(item)
	}
	for name, item := range g.nodes {
		g.lane.b.relay(g.lane, name, item)
	}
	clear(g.conns)
	clear(g.nodes)
	g.lastConn, g.lastItem = nil, nil
}
