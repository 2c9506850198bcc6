package broker

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/ferrymq/ferrymq/fsm"
	"github.com/ferrymq/ferrymq/transport"
)

// closeTimeout bounds how long the last frames of a connection may take.
const closeTimeout = time.Second

// conn is a client's connection. The reader is Serve's goroutine and owns
// handles; the sender owns nothing but takes what push left.
type conn struct {
	b    *Broker
	t    *transport.Conn
	done <-chan struct{} // closed when the connection is of no more use
	ctx  context.Context // ends with serve, for requests under way

	version   uint16
	frameMax  int // largest payload that the client takes
	heartbeat time.Duration

	handles map[uint32]*handle
	queries chan struct{} // one for each read under way
	reads   sync.WaitGroup

	scratch []fsm.SettleItem // of the reader
	rate    *publishRate     // of the reader

	wake chan struct{} // capacity 1: the sender has something to do

	mu       sync.Mutex
	items    []*outItem                     // in the order of the entries
	reattach map[uint32]transport.GroupInfo // by handle; nil while there is none
	away     *transport.GoAway
	requests int           // operations taken whose answer is not in the outbox yet
	cost     int           // bytes of those
	room     chan struct{} // closed when there is room for more; nil while the reader does not wait
}

// serve runs a connection until it ends.
func (b *Broker) serve(nc net.Conn, p transport.Preface) {
	t := transport.NewConn(nc, transport.ConnOptions{
		OutboxMax: b.o.OutboxBytes, FrameMax: transport.HelloFrameMax, WriteTimeout: b.o.SendTimeout,
	})
	ctx, cancel := context.WithCancel(b.ctx)
	defer cancel()
	c := &conn{
		b: b, t: t, done: t.Done(), ctx: ctx,
		handles: map[uint32]*handle{},
		queries: make(chan struct{}, b.o.QueriesMax),
		rate:    newPublishRate(&b.o),
		wake:    make(chan struct{}, 1),
	}
	if err := c.hello(p); err != nil {
		b.end(t, err)
		return
	}
	b.connsMu.Lock()
	b.conns[c] = struct{}{}
	if b.draining { // it came in just before
		away := b.goAway()
		c.away = &away
	}
	b.connsMu.Unlock()
	b.metrics.connections.Inc()
	c.poke()

	var sender sync.WaitGroup
	sender.Go(c.send)
	err := c.read()
	b.connsMu.Lock()
	delete(b.conns, c)
	b.connsMu.Unlock()
	b.metrics.connections.Dec()
	c.detach()
	cancel()
	b.end(t, err)
	sender.Wait()
	c.reads.Wait()
}

// end closes a connection, and says why if that is a mistake of the client.
func (b *Broker) end(t *transport.Conn, err error) {
	e := mistake(err)
	if e == nil {
		if err := t.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			b.log.Debug("close of a connection", "remote", t.RemoteAddr(), "err", err)
		}
		return
	}
	b.metrics.refused(e.Code)
	b.log.Debug("connection refused", "remote", t.RemoteAddr(), "code", e.Code.String(), "why", e.Message)
	if err := t.Abort(e, closeTimeout); err != nil {
		b.log.Debug("close of a connection", "remote", t.RemoteAddr(), "err", err)
	}
}

// mistake returns what to tell a client about the end of its connection, nil
// if there is nothing to tell or nobody to be told.
func mistake(err error) *transport.Error {
	var e *transport.Error
	var frame *transport.FrameError
	var timeout net.Error
	switch {
	case err == nil:
	case errors.As(err, &e):
		return e
	case errors.As(err, &frame):
		if !errors.Is(err, transport.ErrTruncated) {
			return transport.AsError(err)
		}
	case errors.As(err, &timeout) && timeout.Timeout():
		return transport.Errorf(transport.CodeTimeout, "silent for too long")
	}
	return nil
}

// turnAway refuses a connection that is one too many.
func (b *Broker) turnAway(nc net.Conn) {
	code, why := transport.CodeLimit, "too many connections"
	b.connsMu.Lock()
	stopping := b.draining || b.ctx.Err() != nil
	b.connsMu.Unlock()
	if stopping {
		code, why = transport.CodeShuttingDown, "node "+b.o.Node+" is stopping"
	}
	b.end(transport.NewConn(nc, transport.ConnOptions{}), transport.Errorf(code, "%s", why))
}

// read takes frames until the connection ends or the client makes a mistake
// after which nothing can be understood.
func (c *conn) read() error {
	var buf []byte
	for {
		f, err := c.t.ReadFrame(buf)
		if err != nil {
			return err
		}
		began := c.b.now()
		if err := c.take(f); err != nil {
			return err
		}
		if c.b.now()-began > int64(c.heartbeat)/4 {
			c.t.SetReadTimeout(heartbeatsMissed * c.heartbeat) // it was us who did not read
		}
		buf = reuse(f.Payload, buf)
	}
}

// keepBuffer is the largest read buffer that a connection keeps between frames.
const keepBuffer = 256 << 10

// reuse says which memory the next frame may use: an idle connection holds little.
func reuse(payload, before []byte) []byte {
	if cap(payload) > keepBuffer {
		return nil
	}
	if cap(payload) < cap(before) {
		return before
	}
	return payload
}

// admit counts an operation in, and waits while the client has too many whose
// answers it has not taken. It returns false when the connection ended.
func (c *conn) admit(cost int) bool {
	for {
		c.mu.Lock()
		if c.requests < c.b.o.RequestsMax && c.cost < c.b.o.RequestBytes {
			c.requests++
			c.cost += cost
			c.mu.Unlock()
			return true
		}
		if c.room == nil {
			c.room = make(chan struct{})
		}
		room := c.room
		c.mu.Unlock()
		select {
		case <-room:
		case <-c.done:
			return false
		}
	}
}

// sent counts answered operations out.
func (c *conn) sent(requests, cost int) {
	c.mu.Lock()
	c.requests -= requests
	c.cost -= cost
	if c.room != nil && c.requests < c.b.o.RequestsMax && c.cost < c.b.o.RequestBytes {
		close(c.room)
		c.room = nil
	}
	c.mu.Unlock()
}

// push leaves what an entry has for this client to the sender.
func (c *conn) push(item *outItem) {
	c.mu.Lock()
	c.items = append(c.items, item)
	c.mu.Unlock()
	c.poke()
}

func (c *conn) poke() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// answer is the result of an operation that was not submitted.
func (c *conn) answer(o *op, r transport.Result) {
	c.b.metrics.refusedWith(&r)
	r.Stream = o.stream
	item := &outItem{results: []transport.Result{r}, requests: 1, cost: int(o.cost)}
	c.push(item)
}

// askReattach has the client attach again: the leader changed.
func (c *conn) askReattach(handle uint32, info transport.GroupInfo) {
	c.mu.Lock()
	if c.reattach == nil {
		c.reattach = map[uint32]transport.GroupInfo{}
	}
	c.reattach[handle] = info // bounded by HandlesMax; the newest counts
	c.mu.Unlock()
	c.poke()
}

// askLeave sends the client away.
func (c *conn) askLeave(away transport.GoAway) {
	c.mu.Lock()
	c.away = &away
	c.mu.Unlock()
	c.poke()
}

func (c *conn) busy() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.requests > 0 || len(c.items) > 0 || c.t.Queued() > 0
}

// full says whether the client does not take what it is sent.
func (c *conn) full() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return 2*c.t.Queued() >= c.b.o.OutboxBytes || c.requests >= c.b.o.RequestsMax || c.cost >= c.b.o.RequestBytes
}

// detach tells the groups that the sessions attached here lost their connection.
func (c *conn) detach() {
	for _, h := range c.handles {
		c.release(h, true)
	}
}

// sendContext bounds how long a client may leave its outbox full.
func (c *conn) sendContext() (context.Context, context.CancelFunc) {
	return context.WithTimeout(c.b.ctx, c.b.o.SendTimeout)
}
