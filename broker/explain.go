package broker

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ferrymq/ferrymq/fsm"
	"github.com/ferrymq/ferrymq/transport"
)

// explainVerify is how long an explanation waits for a majority: to have none
// is an answer too.
const explainVerify = 2 * time.Second

// explainPeers is how long it waits for the other nodes, which know of the
// connections to them.
const explainPeers = time.Second

// fullMax is how many connections that take nothing an explanation looks into.
const fullMax = 100

// explain tells why a queue hands out nothing, or less than it could. It is
// answered without a leader as well, from this node's state: that there is
// none is a reason.
func (b *Broker) explain(ctx context.Context, l *lane, q *transport.Query) (transport.QueryReply, error) {
	if q.Stale {
		return l.explainHere(q)
	}
	l.mu.Lock()
	mode, leader := l.mode, l.info.Leader
	l.mu.Unlock()
	switch mode {
	case modeLead:
		reply, err := l.explainLed(ctx, q)
		if !errors.Is(err, transport.CodeNotLeader) {
			return reply, err
		}
	case modeForward:
		return b.explainAsked(ctx, l, leader, q)
	}
	return l.explainHere(q, b.leaderless(leader))
}

// leaderless says why this node has no leader to ask.
func (b *Broker) leaderless(known string) transport.ExplainReason {
	r := transport.ExplainReason{Kind: transport.ExplainNoLeader, Text: "no leader is known at node " + b.o.Node, Name: b.o.Node}
	if known != "" && known != b.o.Node {
		r.Text, r.Name = "node "+b.o.Node+" has no link to the leader "+known, known
	}
	return r
}

// explainLed explains at the leader. The error is CodeNotLeader if this node
// leads no more.
func (l *lane) explainLed(ctx context.Context, q *transport.Query) (transport.QueryReply, error) {
	ctx, cancel := context.WithTimeout(ctx, explainVerify)
	defer cancel()
	switch err := l.group.Verify(ctx); {
	case errors.Is(err, transport.CodeNotLeader):
		return transport.QueryReply{}, err
	case err != nil:
		return l.explainHere(q, transport.ExplainReason{
			Kind: transport.ExplainNoQuorum, Name: l.b.o.Node,
			Text: "the leader " + l.b.o.Node + " reaches no majority: " + err.Error(),
		})
	}
	reply, err := l.explainHere(q)
	reply.Stale = false
	if err != nil {
		return reply, err
	}
	if others := l.fullElsewhere(ctx, q); len(others) > 0 {
		var x transport.ExplainReply
		if err := x.Decode(reply.Body); err != nil {
			return reply, err
		}
		x.Reasons = append(x.Reasons, others...)
		reply.Body = x.AppendTo(nil)
	}
	return reply, nil
}

// fullElsewhere asks the other nodes of connections to them that take nothing.
// One that does not answer in time is left out: if it is gone, so are its
// consumers.
func (l *lane) fullElsewhere(ctx context.Context, q *transport.Query) (full []transport.ExplainReason) {
	ctx, cancel := context.WithTimeout(ctx, explainPeers)
	defer cancel()
	there := *q
	there.Stale = true
	ask := there.AppendTo(nil)
	peers := l.b.allPeers()
	answers := make([][]transport.ExplainReason, len(peers))
	var asked sync.WaitGroup
	for i, p := range peers {
		asked.Go(func() { answers[i] = l.b.fullAt(ctx, p.name, ask) })
	}
	asked.Wait()
	full = slices.Concat(answers...)
	slices.SortFunc(full, func(a, b transport.ExplainReason) int { return strings.Compare(a.Name, b.Name) })
	return full
}

// fullAt asks one of them.
func (b *Broker) fullAt(ctx context.Context, node string, ask []byte) (full []transport.ExplainReason) {
	body, err := b.o.Peers.Request(ctx, node, requestQuery, ask)
	var reply transport.QueryReply
	if err == nil {
		err = reply.Decode(body)
	}
	var x transport.ExplainReply
	if err == nil {
		err = x.Decode(reply.Body)
	}
	if err != nil {
		b.log.Debug("another node explains nothing", "node", node, "err", err)
		return nil
	}
	for _, r := range x.Reasons {
		if r.Kind == transport.ExplainWindow {
			full = append(full, r)
		}
	}
	return full
}

// explainAsked has the leader explain.
func (b *Broker) explainAsked(ctx context.Context, l *lane, leader string, q *transport.Query) (transport.QueryReply, error) {
	var reply transport.QueryReply
	body, err := b.o.Peers.Request(ctx, leader, requestQuery, q.AppendTo(nil))
	if err != nil && transport.AsError(err).Code.Retryable() {
		return l.explainHere(q, transport.ExplainReason{
			Kind: transport.ExplainNoLeader, Text: "the leader " + leader + " does not answer: " + err.Error(), Name: leader,
		})
	}
	if err == nil {
		err = reply.Decode(body)
	}
	return reply, err
}

// explainHere explains by this node's state. First are reasons known already,
// which weigh more than any other.
func (l *lane) explainHere(q *transport.Query, first ...transport.ExplainReason) (transport.QueryReply, error) {
	reply := transport.QueryReply{Stale: true}
	x := transport.ExplainReply{Queue: q.Name, Reasons: first}
	var ok bool
	l.group.View(func(s *fsm.State) {
		var reasons []transport.ExplainReason
		reasons, ok = reasonsOf(s, q.Name, l.b.o.MessageMax)
		x.Reasons = append(x.Reasons, reasons...)
		reply.Index = s.Index()
	})
	if !ok {
		return reply, transport.Errorf(transport.CodeNotFound, "queue %q", q.Name)
	}
	x.Reasons = append(x.Reasons, l.fullConnections(q.Name)...)
	x.Reasons = append(x.Reasons, l.alarmReasons()...)
	reply.Body = x.AppendTo(nil)
	return reply, nil
}

// alarmReasons tells what keeps new messages away, while this node leads: no
// other's alarms do.
func (l *lane) alarmReasons() (reasons []transport.ExplainReason) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.mode != modeLead {
		return nil
	}
	for a := range alarms {
		if l.alarmed(a) {
			reasons = append(reasons, transport.ExplainReason{
				Kind: alarmKinds[a].name, Text: "publishes are refused: " + alarmKinds[a].text, Name: l.b.o.Node,
			})
		}
	}
	return reasons
}

// fullConnections tells of consumers of the queue that are connected to this
// node and do not take what they are sent.
func (l *lane) fullConnections(queue string) []transport.ExplainReason {
	var full []*handle
	for _, h := range l.sessions.all() {
		if len(full) < fullMax && h.conn.full() {
			full = append(full, h)
		}
	}
	if len(full) == 0 {
		return nil
	}
	consumers := uint64(0)
	l.group.View(func(s *fsm.State) {
		info, ok := s.Queue(queue)
		for _, h := range full {
			x, _ := s.Session(h.session)
			for i := range x.Consumers {
				if ok && x.Consumers[i].Incarnation == info.Incarnation {
					consumers++
				}
			}
		}
	})
	if consumers == 0 {
		return nil
	}
	return []transport.ExplainReason{{
		Kind: transport.ExplainWindow, Count: consumers, Name: l.b.o.Node,
		Text: some(consumers, "1 consumer", "%d consumers") + " at node " + l.b.o.Node +
			some(consumers, " does not take what it is sent", " do not take what they are sent"),
	}}
}
