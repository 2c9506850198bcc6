package client

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ferrymq/ferrymq/transport"
)

const (
	dialTimeout      = time.Second
	handshakeTimeout = 2 * time.Second
	// linkOutbox is how many bytes wait for the network; the rest waits in
	// batches that can still grow.
	linkOutbox = 1 << 20
	// linkFrames is how many frames the reader may be ahead of the manager.
	linkFrames = 16
	// smallFrame is the largest that is copied together with others.
	smallFrame = 4 << 10
)

// incoming is one frame, decoded if it is hot, or the end of the link.
type incoming struct {
	op      transport.Op
	stream  uint32
	events  *transport.Events
	payload []byte
	err     error
}

// link is one connection to one node, past its handshake. It has a reader and
// a goroutine that waits for room in the outbox when the manager wants it to.
type link struct {
	conn   *transport.Conn
	addr   string
	hello  transport.HelloOK
	frames chan incoming
	full   chan struct{} // holds one: tell me when there is room
	ctx    context.Context
	cancel context.CancelFunc
	ended  sync.WaitGroup
}

var eventPool = sync.Pool{New: func() any { return new(transport.Events) }}

// dialLink connects and shakes hands.
func dialLink(ctx context.Context, addr string, o *options, wake chan struct{}) (*link, error) {
	dialCtx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	nc, err := o.dialer(dialCtx, addr)
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", addr, err)
	}
	stop := context.AfterFunc(ctx, func() { nc.Close() })
	defer stop()
	if err := nc.SetDeadline(time.Now().Add(handshakeTimeout)); err != nil {
		return nil, errors.Join(fmt.Errorf("dial %s: %w", addr, err), nc.Close())
	}
	if err := transport.WritePreface(nc, transport.Preface{Kind: transport.KindClient}); err != nil {
		return nil, errors.Join(fmt.Errorf("preface to %s: %w", addr, err), nc.Close())
	}
	conn := transport.NewConn(nc, transport.ConnOptions{OutboxMax: linkOutbox})
	hello, err := shakeHands(ctx, conn, o)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("hello to %s: %w", addr, err), conn.Close())
	}
	l := &link{
		conn: conn, addr: addr, hello: hello,
		frames: make(chan incoming, linkFrames), full: make(chan struct{}, 1),
	}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	if hello.HeartbeatMs > 0 {
		conn.SetHeartbeat(millis(hello.HeartbeatMs))
	}
	l.ended.Add(2)
	go l.read()
	go l.waitRoom(wake)
	return l, nil
}

// clientVersion is what Hello says about this library.
const clientVersion = "ferrymq-go/1"

func shakeHands(ctx context.Context, conn *transport.Conn, o *options) (ok transport.HelloOK, err error) {
	hello := transport.Hello{
		VersionMin: transport.Version, VersionMax: transport.Version,
		Client: clientVersion, Name: o.name, FrameMax: transport.FrameMax,
		HeartbeatMs: uint32(o.heartbeat.Milliseconds()),
	}
	conn.SetReadDeadline(time.Now().Add(handshakeTimeout))
	if err := conn.Send(ctx, transport.Frame{Op: transport.OpHello, Payload: hello.AppendTo(nil)}); err != nil {
		return ok, err
	}
	f, err := conn.ReadFrame(nil)
	if err != nil {
		return ok, err
	}
	conn.SetReadDeadline(time.Time{})
	switch f.Op {
	case transport.OpHelloOK:
		return ok, ok.Decode(f.Payload)
	case transport.OpError:
		return ok, decodeError(f.Payload, "hello", "")
	}
	return ok, localError(transport.CodeHandshake, "hello", "", "answered by "+f.Op.String(), nil)
}

// decodeError turns an Error frame into an error.
func decodeError(payload []byte, op, node string) error {
	var e transport.Error
	if err := e.Decode(payload); err != nil {
		return err
	}
	return wireError(&e, op, "", node)
}

func wireError(e *transport.Error, op, resource, node string) *Error {
	return &Error{
		Code: e.Code, Op: op, Resource: resource, Detail: e.Message, Node: node,
		Retryable: e.Retryable, RetryAfter: millis(e.RetryAfterMs),
	}
}

// read hands frames to the manager until the link ends.
func (l *link) read() {
	defer l.ended.Done()
	var buf []byte
	for {
		f, err := l.conn.ReadFrame(buf)
		if err != nil {
			l.hand(incoming{err: err})
			return
		}
		buf = nil // most payloads are kept
		in := incoming{op: f.Op, stream: f.Stream, payload: f.Payload}
		switch f.Op {
		case transport.OpPing:
			buf = f.Payload
			// Full: then bytes are under way, which is as good as a Pong.
			if err := l.conn.TrySend(transport.Frame{Op: transport.OpPong, Stream: f.Stream}); err != nil &&
				!errors.Is(err, transport.ErrOutboxFull) {
				l.hand(incoming{err: err})
				return
			}
			continue
		case transport.OpEvents:
			in.events = eventPool.Get().(*transport.Events)
			if err := in.events.Decode(f.Payload); err != nil {
				l.hand(incoming{err: err})
				return
			}
			if len(in.events.Deliveries)+len(in.events.Answers) == 0 {
				buf = f.Payload // records alias it, results do not
			}
		}
		if !l.hand(in) {
			return
		}
	}
}

func (l *link) hand(in incoming) bool {
	select {
	case l.frames <- in:
		return true
	case <-l.ctx.Done():
		return false
	}
}

// waitRoom wakes the manager when the outbox has room again.
func (l *link) waitRoom(wake chan struct{}) {
	defer l.ended.Done()
	for {
		select {
		case <-l.full:
		case <-l.ctx.Done():
			return
		}
		if err := l.conn.WaitRoom(l.ctx); err != nil {
			return // the reader tells the manager why
		}
		signal(wake)
	}
}

// hasRoom tells whether a frame would be queued without waiting. If not, the
// manager is woken when it would.
func (l *link) hasRoom() bool {
	if l.conn.Queued() < linkOutbox {
		return true
	}
	signal(l.full)
	return false
}

// send queues a frame of a body. Callers asked hasRoom, so it does not wait
// to speak of. An error means that the link is dead, which its reader tells
// the manager: what was sent counts as lost with the link.
func (l *link) send(op transport.Op, stream uint32, size int, body func(dst []byte) []byte) error {
	dst, start := transport.BeginFrame(make([]byte, 0, size+smallFrame/16))
	dst = body(dst)
	return l.conn.SendBuilt(l.ctx, transport.EndFrame(dst, start, op, 0, stream))
}

// close ends the link and its goroutines.
func (l *link) close() error {
	l.cancel()
	err := l.conn.Close()
	l.ended.Wait()
	return err
}
