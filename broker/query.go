package broker

import (
	"context"
	"errors"
	"time"

	"github.com/ferrymq/ferrymq/transport"
)

const (
	queryTimeout = 10 * time.Second
	pageDefault  = 100
	pageMax      = 1000 // queues, topics or messages of one reply

	// requestQuery is the kind of PeerRequest that carries a Query to a leader.
	requestQuery = "query"
)

func (c *conn) query(f transport.Frame) error {
	var q transport.Query
	if err := q.Decode(f.Payload); err != nil {
		return err
	}
	return c.respond(f.Stream, func(ctx context.Context) (transport.QueryReply, error) {
		return c.b.query(ctx, &q)
	})
}

func (c *conn) control(f transport.Frame) error {
	var m transport.Control
	if err := m.Decode(f.Payload); err != nil {
		return err
	}
	return c.respond(f.Stream, func(ctx context.Context) (transport.QueryReply, error) {
		return transport.QueryReply{}, c.b.o.Admin.Control(ctx, m)
	})
}

// respond answers one request in a goroutine of its own, of which a connection
// has only so many: then it is not read until one ends.
func (c *conn) respond(stream uint32, ask func(context.Context) (transport.QueryReply, error)) error {
	select {
	case c.queries <- struct{}{}:
	case <-c.done:
		return nil
	}
	c.reads.Go(func() {
		defer func() { <-c.queries }()
		ctx, cancel := context.WithTimeout(c.ctx, queryTimeout)
		defer cancel()
		frame := transport.Frame{Op: transport.OpQueryReply, Stream: stream}
		reply, err := ask(ctx)
		if err != nil {
			frame.Op, frame.Payload = transport.OpError, c.b.queryError(err).AppendTo(nil)
		} else {
			frame.Payload = reply.AppendTo(nil)
		}
		if err := c.sendFrame(frame); err != nil {
			c.b.log.Debug("reply not sent", "remote", c.t.RemoteAddr(), "err", err)
		}
	})
	return nil
}

// queryError says why in the protocol's words.
func (b *Broker) queryError(err error) *transport.Error {
	e := transport.Error{}
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		e = *transport.Errorf(transport.CodeTimeout, "no answer within %v", queryTimeout)
	default:
		e = *transport.AsError(err)
	}
	if e.Code == transport.CodeNotLeader {
		e.Code = transport.CodeNoLeader
	}
	if e.Retryable && e.RetryAfterMs == 0 {
		e.RetryAfterMs = retryAfterMillis
	}
	b.metrics.refused(e.Code)
	return &e
}

// query answers from the state that holds now, or, stale, from this node's own.
func (b *Broker) query(ctx context.Context, q *transport.Query) (transport.QueryReply, error) {
	switch q.Kind {
	case transport.QueryCluster:
		info, err := b.o.Admin.Status(ctx, q.Stale)
		return transport.QueryReply{Stale: q.Stale, Body: info.AppendTo(nil)}, err
	case transport.QueryNodes:
		return transport.QueryReply{Stale: true, Body: transport.Marshal(b.o.Peers.Nodes())}, nil
	case transport.QueryQueues, transport.QueryQueue, transport.QueryTopics, transport.QueryTopic,
		transport.QuerySubscriptions, transport.QueryTenants, transport.QueryTrace, transport.QueryExplain, transport.QueryBrowse:
	default:
		return transport.QueryReply{}, transport.Errorf(transport.CodeUnsupported, "query %q", q.Kind)
	}
	l := b.lanes[q.Group]
	if l == nil {
		return transport.QueryReply{}, transport.Errorf(transport.CodeNotFound, "group %d is not here", q.Group)
	}
	if q.Kind == transport.QueryExplain {
		return b.explain(ctx, l, q)
	}
	if q.Stale {
		return l.read(ctx, q)
	}
	l.mu.Lock()
	mode, leader := l.mode, l.info.Leader
	l.mu.Unlock()
	switch mode {
	case modeLead:
		return l.readVerified(ctx, q)
	case modeForward:
		body, err := b.o.Peers.Request(ctx, leader, requestQuery, q.AppendTo(nil))
		if err != nil {
			return transport.QueryReply{}, err
		}
		var reply transport.QueryReply
		err = reply.Decode(body)
		return reply, err
	}
	return transport.QueryReply{}, transport.Errorf(transport.CodeNoLeader, "no leader of group %d is known", q.Group)
}

// HandlePeerRequest answers a request of another node. The only kind is
// "query": a read of a group that this node leads, or what this node itself can
// say to explain a queue.
func (b *Broker) HandlePeerRequest(ctx context.Context, kind string, body []byte) ([]byte, error) {
	if kind != requestQuery {
		return nil, transport.Errorf(transport.CodeUnsupported, "request %q", kind)
	}
	var q transport.Query
	if err := q.Decode(body); err != nil {
		return nil, err
	}
	l := b.lanes[q.Group]
	if l == nil {
		return nil, transport.Errorf(transport.CodeNotFound, "group %d is not here", q.Group)
	}
	read := l.readVerified
	switch {
	case q.Kind == transport.QueryExplain && q.Stale:
		read = func(_ context.Context, q *transport.Query) (transport.QueryReply, error) { return l.explainHere(q) }
	case q.Kind == transport.QueryExplain:
		read = l.explainLed
	}
	reply, err := read(ctx, &q)
	if err != nil {
		return nil, err
	}
	return reply.AppendTo(nil), nil
}

// readVerified answers once this node is known to lead still.
func (l *lane) readVerified(ctx context.Context, q *transport.Query) (transport.QueryReply, error) {
	if err := l.group.Verify(ctx); err != nil {
		return transport.QueryReply{}, err
	}
	reply, err := l.read(ctx, q)
	reply.Stale = false
	return reply, err
}
