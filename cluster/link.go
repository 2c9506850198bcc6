package cluster

import (
	"context"
	"sync"
	"time"

	"github.com/ferrymq/ferrymq/transport"
)

// link is one connection to another node. Its reader is the peer's goroutine.
type link struct {
	peers *Peers
	node  string
	hello transport.PeerHello
	conn  *transport.Conn

	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup
	slots  chan struct{} // requests being served

	mu      sync.Mutex
	closed  bool
	stream  uint32
	waiting map[uint32]chan transport.PeerReply // each has room for one
}

func (l *link) start(ctx context.Context) {
	l.ctx, l.cancel = context.WithCancel(ctx)
	l.slots = make(chan struct{}, linkRequestsMax)
	l.waiting = make(map[uint32]chan transport.PeerReply)
	l.conn.SetHeartbeat(l.peers.opts.Heartbeat)
	l.wg.Go(l.clocks)
}

// end closes the connection, answers who waits, and waits for the goroutines.
func (l *link) end() {
	l.conn.Close()
	l.cancel()
	l.mu.Lock()
	l.closed = true
	for stream, ch := range l.waiting {
		delete(l.waiting, stream)
		ch <- transport.PeerReply{Error: transport.Errorf(transport.CodeUnknownOutcome, "the link to node %s broke", l.node)}
	}
	l.mu.Unlock()
	l.wg.Wait()
}

// clocks tells this node's wall clock.
func (l *link) clocks() {
	tick := time.NewTicker(l.peers.opts.ClockEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-l.ctx.Done():
			return
		}
		// An outbox that is full says enough about this link: the sample is skipped.
		clock := transport.PeerClock{WallMs: l.peers.opts.wallMillis()}
		_ = l.conn.TrySend(transport.Frame{Op: transport.OpPeerClock, Payload: clock.AppendTo(nil)})
	}
}

func (l *link) send(ctx context.Context, f transport.Frame) error {
	if err := l.conn.Send(ctx, f); err != nil {
		return err
	}
	l.peers.opts.Metrics.frame(l.node, "out", len(f.Payload))
	return nil
}

// read dispatches frames until the link ends.
func (l *link) read() error {
	for {
		f, err := l.conn.ReadFrame(nil)
		if err != nil {
			return err
		}
		l.peers.opts.Metrics.frame(l.node, "in", len(f.Payload))
		began := time.Now()
		if err := l.dispatch(f); err != nil {
			return err
		}
		if time.Since(began) > slowHandler {
			// What was spent in the handler is not the other node's silence.
			l.conn.SetReadTimeout(3 * l.peers.opts.Heartbeat)
		}
	}
}

func (l *link) dispatch(f transport.Frame) error {
	switch f.Op {
	case transport.OpPing:
		_ = l.conn.TrySend(transport.Frame{Op: transport.OpPong, Stream: f.Stream}) // a full outbox is a sign of life, too
	case transport.OpPong:
	case transport.OpPeerHello:
		return transport.Errorf(transport.CodeHandshake, "a second PeerHello")
	case transport.OpPeerClock:
		var c transport.PeerClock
		if err := c.Decode(f.Payload); err != nil {
			return err
		}
		l.peers.opts.OnClock(l.node, c.WallMs)
	case transport.OpPeerRequest:
		return l.serve(f)
	case transport.OpPeerReply:
		return l.answered(f)
	case transport.OpError:
		var e transport.Error
		if err := e.Decode(f.Payload); err != nil {
			return err
		}
		return &e
	default:
		l.peers.handler.PeerFrame(l.node, f)
	}
	return nil
}

// request sends a request and waits for its answer.
func (l *link) request(ctx context.Context, kind string, body []byte) ([]byte, error) {
	answer := make(chan transport.PeerReply, 1)
	stream, ok := l.expect(answer)
	if !ok {
		return nil, noLink(l.node)
	}
	defer l.forget(stream)
	req := transport.PeerRequest{Kind: kind, Body: body}
	if err := l.send(ctx, transport.Frame{Op: transport.OpPeerRequest, Stream: stream, Payload: req.AppendTo(nil)}); err != nil {
		return nil, transport.Errorf(transport.CodeNoLeader, "request %q to node %s: %v", kind, l.node, err)
	}
	select {
	case r := <-answer:
		if r.Error != nil {
			return nil, r.Error
		}
		return r.Body, nil
	case <-ctx.Done():
		return nil, transport.Errorf(transport.CodeUnknownOutcome, "request %q to node %s: %v", kind, l.node, ctx.Err())
	}
}

func (l *link) expect(answer chan transport.PeerReply) (stream uint32, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return 0, false
	}
	for {
		l.stream++
		if _, taken := l.waiting[l.stream]; !taken && l.stream != 0 {
			l.waiting[l.stream] = answer
			return l.stream, true
		}
	}
}

func (l *link) forget(stream uint32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.waiting, stream)
}

func (l *link) answered(f transport.Frame) error {
	var r transport.PeerReply
	if err := r.Decode(f.Payload); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if ch := l.waiting[f.Stream]; ch != nil { // nil: whoever asked waits no longer
		delete(l.waiting, f.Stream)
		ch <- r
	}
	return nil
}

// serve answers a request on a goroutine of its own, so that a slow one does
// not hold up the frames behind it.
func (l *link) serve(f transport.Frame) error {
	var req transport.PeerRequest
	if err := req.Decode(f.Payload); err != nil {
		return err
	}
	select {
	case l.slots <- struct{}{}:
	default:
		return l.reply(f.Stream, nil, transport.Errorf(transport.CodeBusy, "%d requests are being served", linkRequestsMax))
	}
	l.wg.Go(func() {
		defer func() { <-l.slots }()
		body, failure := l.peers.serve(l.ctx, l.node, req.Kind, req.Body)
		if err := l.reply(f.Stream, body, failure); err != nil {
			l.peers.opts.Logger.Debug("an answer was lost", "peer", l.node, "request", req.Kind, "error", err)
		}
	})
	return nil
}

func (l *link) reply(stream uint32, body []byte, failure *transport.Error) error {
	r := transport.PeerReply{Error: failure, Body: body}
	return l.send(l.ctx, transport.Frame{Op: transport.OpPeerReply, Stream: stream, Payload: r.AppendTo(nil)})
}
