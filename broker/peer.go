package broker

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/ferrymq/ferrymq/fsm"
	"github.com/ferrymq/ferrymq/transport"
)

// peer is the link to another node, from when it came up until it is lost.
// Its goroutine sends what the entries led here have for that node.
type peer struct {
	b    *Broker
	name string

	ctx    context.Context
	cancel context.CancelFunc
	done   chan struct{}
	wake   chan struct{} // capacity 1

	mu    sync.Mutex
	queue []relayJob // bounded by the credit of the consumers there and by what it may forward

	events   transport.PeerEvents // of the frame being taken; used by PeerFrame only
	grouping map[*lane]*grouping
}

type relayJob struct {
	lane *lane
	term uint64
	item *relayItem
}

// PeerUp tells that the link to a node works. PeerUp, PeerDown and PeerFrame
// of one node are called one after the other.
func (b *Broker) PeerUp(node string) {
	b.PeerDown(node) // a link that was never told to be lost
	ctx, cancel := context.WithCancel(b.ctx)
	p := &peer{
		b: b, name: node, ctx: ctx, cancel: cancel, done: make(chan struct{}),
		wake: make(chan struct{}, 1), grouping: map[*lane]*grouping{},
	}
	b.peersMu.Lock()
	if b.ctx.Err() != nil {
		b.peersMu.Unlock()
		cancel()
		return
	}
	b.peers[node] = p
	b.peersMu.Unlock()
	go p.run()
	for _, l := range b.lanes {
		l.reroute(func() {})
	}
}

// PeerDown tells that the link to a node is lost. When it returns, whatever
// this means for the groups led here is queued: frames of a new link come
// behind it.
func (b *Broker) PeerDown(node string) {
	b.peersMu.Lock()
	p := b.peers[node]
	delete(b.peers, node)
	b.peersMu.Unlock()
	if p != nil {
		b.linkLost(p)
	}
}

// linkLost ends a link: what was forwarded over it has an unknown outcome,
// and the sessions attached through the node are detached.
func (b *Broker) linkLost(p *peer) {
	for _, l := range b.lanes {
		l.reroute(func() {})
		l.mu.Lock()
		delete(l.refused, p)
		if l.mode == modeLead {
			l.addOwn(owed{kind: fsm.KindDetachNode, command: fsm.AppendDetachNode(nil, &fsm.DetachNode{Node: p.name})})
		}
		l.mu.Unlock()
		l.signal()
	}
	p.cancel()
	<-p.done
}

func (b *Broker) peer(node string) *peer {
	b.peersMu.Lock()
	defer b.peersMu.Unlock()
	return b.peers[node]
}

func (b *Broker) allPeers() []*peer {
	b.peersMu.Lock()
	defer b.peersMu.Unlock()
	return slices.Collect(maps.Values(b.peers))
}

func (b *Broker) peerIsUp(node string) bool { return b.peer(node) != nil }

// PeerFrame takes a frame of a node, and its payload for good.
func (b *Broker) PeerFrame(node string, f transport.Frame) {
	p := b.peer(node)
	if p == nil {
		return // the link's end was told already
	}
	var err error
	switch f.Op {
	case transport.OpPeerSubmit:
		err = p.takeSubmit(f.Payload)
	case transport.OpPeerEvents:
		err = p.takeEvents(f.Payload)
	default:
		err = transport.Errorf(transport.CodeUnsupported, "op %v", f.Op)
	}
	if err != nil {
		b.log.Error("frame of another node refused", "node", node, "op", f.Op.String(), "err", err)
	}
}

// takeEvents takes what the leader of a group has for the connections here.
func (p *peer) takeEvents(payload []byte) error {
	e := &p.events
	if err := e.Decode(payload); err != nil {
		return err
	}
	l := p.b.lanes[e.Group]
	if l == nil {
		return transport.Errorf(transport.CodeNotFound, "group %d", e.Group)
	}
	if contents(e) == 0 {
		l.leaderBegan(p.name)
		return nil
	}
	g := p.grouping[l]
	if g == nil {
		g = newGrouping(l)
		p.grouping[l] = g
	}
	l.answerForwarded(g, e.Results)
	g.fromLeader(e)
	g.flush()
	clear(e.Deliveries) // their records must not live as long as the link
	clear(e.Answers)
	return nil
}

// answerForwarded hands the leader's results to the operations they answer.
func (l *lane) answerForwarded(g *grouping, results []transport.PeerResult) {
	if len(results) == 0 {
		return
	}
	var answered []verdict
	var lost, queued failure
	now := l.b.now()
	l.mu.Lock()
	for i := range results {
		o, skipped, ok := l.sent.take(&results[i])
		lost.ops = append(lost.ops, skipped...)
		if ok {
			answered = append(answered, verdict{o, &results[i].Result})
		}
	}
	lost.code = transport.CodeUnknownOutcome
	l.breakHandles(lost.ops)
	l.keepOwed(lost.ops)
	if l.breakAnswered(answered) || len(lost.ops) > 0 {
		l.sent.renew()
		l.holdTill = now + holdNanos
		queued = l.failQueue(transport.CodeNotLeader)
	}
	l.mu.Unlock()
	l.signal()
	for _, a := range answered {
		if a.op.conn == nil {
			continue
		}
		a.result.Code = toClient(a.result.Code)
		l.b.metrics.judged(&a.op, a.result, now)
		l.judgedHere(&a.op, a.result)
		g.result(&a.op, *a.result)
	}
	l.tell(lost)
	l.tell(queued)
}

// verdict is the leader's answer to a forwarded command.
type verdict struct {
	op     op
	result *transport.Result
}

// outside says whether an answer came from outside of the state machine and
// leaves the operation to be sent again.
func outside(c transport.Code) bool { return c > 255 && c.Retryable() }

// breakAnswered does for operations that the leader failed what breakHandles
// does, and says whether one was of the current generation: then what is
// queued fails as well. The caller holds l.mu.
func (l *lane) breakAnswered(list []verdict) (broken bool) {
	for i := range list {
		a := &list[i]
		if outside(a.result.Code) {
			broken = broken || a.op.number>>generationShift == l.sent.next>>generationShift
			one := []op{a.op}
			l.breakHandles(one)
			l.keepOwed(one)
		}
	}
	return broken
}
