package client

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ferrymq/ferrymq/transport"
)

// State of a Conn.
type State int32

const (
	Connecting   State = iota // no node has answered yet
	Connected                 // linked to a node
	Reconnecting              // the link was lost
	Closed
)

func (s State) String() string {
	switch s {
	case Connecting:
		return "connecting"
	case Connected:
		return "connected"
	case Reconnecting:
		return "reconnecting"
	case Closed:
		return "closed"
	}
	return "unknown"
}

// closeTimeout bounds how long Close tries to say goodbye.
const closeTimeout = 500 * time.Millisecond

// Conn is one logical connection to a cluster. It is safe for concurrent use
// and meant to live as long as the process: it follows the leader and
// reconnects for ever, with its session, so that nothing is published or
// settled twice.
type Conn struct {
	opts options
	out  *outbox
	m    *manager

	ctx        context.Context // ends with Close
	cancel     context.CancelFunc
	goroutines sync.WaitGroup // those that run no user code
	closing    sync.Once
	ready      chan struct{} // closed when a node answered for the first time
	readyOnce  sync.Once

	state atomic.Int32
	node  atomic.Pointer[string]
	who   atomic.Pointer[identity]

	inboxes inboxes
}

// Dial connects to the nodes of ferry://host:port,host:port, tried in turn,
// and returns when the first has answered or ctx has ended.
func Dial(ctx context.Context, url string, opts ...Option) (*Conn, error) {
	var o options
	for _, opt := range opts {
		opt(&o)
	}
	o.fillDefaults()
	if err := o.validate(); err != nil {
		return nil, localError(transport.CodeInvalid, "dial", url, "", err)
	}
	addrs, err := parseURL(url)
	if err != nil {
		return nil, err
	}
	c := &Conn{opts: o, out: newOutbox(&o), ready: make(chan struct{})}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	who := newIdentity()
	if o.session != nil {
		who = *o.session
	}
	c.who.Store(&who)
	c.linked("")
	c.m = newManager(c, addrs)
	c.goroutines.Go(c.m.run)
	go c.out.notify() // ends with the outbox; it runs user code, so nobody waits for it

	ctx, cancel := c.bounded(ctx)
	defer cancel()
	select {
	case <-c.ready:
		return c, nil
	case <-ctx.Done():
	}
	c.out.mu.Lock()
	reason := c.out.reason
	c.out.mu.Unlock()
	return nil, errors.Join(
		localError(transport.CodeTimeout, "dial", url, "", join(ctxError(ctx), reason)), c.Close())
}

// State of the connection now.
func (c *Conn) State() State { return State(c.state.Load()) }

// Session is the id and secret of the session, for WithSession. After an
// expiry they are those of the new one.
func (c *Conn) Session() (id, secret [16]byte) {
	who := c.who.Load()
	return who.id, who.secret
}

// Node is the name of the node connected to, "" for none.
func (c *Conn) Node() string { return *c.node.Load() }

// Ping asks the node for a sign of life and returns how long it took.
func (c *Conn) Ping(ctx context.Context) (time.Duration, error) {
	start := time.Now()
	_, err := c.ask(ctx, &request{op: transport.OpPing, name: "ping", repeat: true, local: true})
	return time.Since(start), err
}

// Flush waits until everything published and settled before the call is
// answered and its callbacks have returned; what was published unconfirmed, until
// it is sent.
func (c *Conn) Flush(ctx context.Context) error {
	over := c.out.seal()
	if over == nil {
		return nil
	}
	select {
	case <-over:
		return nil
	case <-ctx.Done():
		return localError(transport.CodeUnknownOutcome, "flush", "", "", ctxError(ctx))
	}
}

// Drain stops the consumers, waits for their handlers and for what is
// published and settled, and closes. When ctx ends first, it closes all the same.
func (c *Conn) Drain(ctx context.Context) error {
	consumers := make(chan []*Consumer, 1)
	err := c.do(ctx, func(m *manager) {
		var all []*Consumer
		for _, k := range m.consumers {
			k.stop()
			all = append(all, k)
		}
		consumers <- all
	})
	if err == nil {
		select {
		case all := <-consumers:
			for _, k := range all {
				err = join(err, k.Stop(ctx))
			}
		case <-c.m.done:
		}
	}
	return errors.Join(err, c.Flush(ctx), c.Close())
}

// Close ends the connection and gives up its session, unless that came from
// WithSession: leases return to their queues. What is unanswered ends with
// ErrClosed, and what may have been applied with ErrUnknownOutcome as well.
// It waits neither for handlers nor for callbacks. It may be repeated.
func (c *Conn) Close() error {
	c.closing.Do(func() { close(c.m.stop) })
	c.goroutines.Wait()
	return nil
}

// shutdown is the manager's end.
func (m *manager) shutdown() {
	err := closedError("", "")
	m.conn.cancel()
	if m.dialing {
		if d := <-m.dialed; d.link != nil {
			m.conn.closeLink(d.link)
		}
	}
	if l := m.link; l != nil {
		if s := m.session; m.phase == phaseLive && m.opts.session == nil {
			end := transport.End{Handle: s.handle}
			m.send(transport.OpEnd, m.newStream(), 0, end.AppendTo)
		}
		m.conn.closeLink(l)
		m.link = nil
	}
	m.endSession(err)
	m.requestsClosed(err)
	m.conn.linked("")
	m.conn.setState(Closed, nil)
}

// closeLink lets what is queued out before it closes.
func (c *Conn) closeLink(l *link) {
	l.cancel()
	if err := errors.Join(l.conn.CloseAfterFlush(closeTimeout), l.close()); err != nil {
		c.opts.logger.Debug("closing a link", "node", l.hello.Node, "error", err)
	}
}

// do runs f on the manager.
func (c *Conn) do(ctx context.Context, f func(*manager)) error {
	select {
	case c.m.calls <- f:
		return nil
	case <-c.m.done:
		return closedError("", "")
	case <-ctx.Done():
		return localError(transport.CodeTimeout, "", "", "", ctxError(ctx))
	}
}

func closedError(op, resource string) *Error {
	return localError(codeClosed, op, resource, "", nil)
}

// bounded gives a context without deadline that of the request timeout.
func (c *Conn) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, c.opts.requestTimeout)
}

// What follows is the manager's.

func (c *Conn) setState(s State, err error) {
	if State(c.state.Swap(int32(s))) != s || err != nil {
		c.opts.stateFunc(s, err)
	}
}

func (c *Conn) linked(node string) {
	c.node.Store(&node)
	if node != "" {
		c.readyOnce.Do(func() { close(c.ready) })
	}
}

func (c *Conn) identity() identity { return *c.who.Load() }

func (c *Conn) renewIdentity() identity {
	who := newIdentity()
	c.who.Store(&who)
	return who
}
