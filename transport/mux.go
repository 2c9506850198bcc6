package transport

import (
	"container/list"
	"errors"
	"net"
	"sync"
	"time"
)

// Handler serves one connection after its preface. It owns the connection,
// also after it returns, until somebody closes it.
type Handler func(net.Conn, Preface)

// Mux is the shared port: it accepts connections, reads their prefaces within
// a deadline, and hands each to the handler of its kind, on a goroutine of the
// connection. Close closes the port and every connection that came in through
// it, and waits for the handlers.
type Mux struct {
	l    net.Listener
	opts MuxOptions
	stop chan struct{} // closed by Close
	wg   sync.WaitGroup

	mu       sync.Mutex // guards what follows; never held while waiting
	handlers map[Kind]Handler
	pending  list.List // of *muxConn without a preface, oldest first
	conns    map[*muxConn]struct{}
	clients  int
	nodes    int
	closed   bool
}

// NewMux serves l once Serve is called. It panics on options that Validate refuses.
func NewMux(l net.Listener, opts MuxOptions) *Mux {
	if err := opts.Validate(); err != nil {
		panic(err)
	}
	return &Mux{
		l:        l,
		opts:     opts.withDefaults(),
		stop:     make(chan struct{}),
		handlers: make(map[Kind]Handler),
		conns:    make(map[*muxConn]struct{}),
	}
}

// Handle registers the handler of a kind. Without one, connections of that
// kind are refused as shutting_down: the node is starting or stopping.
func (m *Mux) Handle(kind Kind, h Handler) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if h == nil {
		delete(m.handlers, kind)
		return
	}
	m.handlers[kind] = h
}

// Addr of the port.
func (m *Mux) Addr() net.Addr { return m.l.Addr() }

// Counts tells how many connections there are.
func (m *Mux) Counts() (pending, clients, nodes int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.pending.Len(), m.clients, m.nodes
}

// Serve accepts connections until the port is closed; then it returns
// ErrMuxClosed.
func (m *Mux) Serve() error {
	pause := time.Duration(0)
	for {
		nc, err := m.l.Accept()
		if err == nil {
			pause = 0
			m.admit(nc)
			continue
		}
		select {
		case <-m.stop:
			return ErrMuxClosed
		default:
		}
		if errors.Is(err, net.ErrClosed) {
			return ErrMuxClosed
		}
		// Out of file descriptors, most likely: connections that end will help.
		pause = min(max(2*pause, 5*time.Millisecond), time.Second)
		m.opts.Log.Warn("accepting failed", "error", err, "retry_in", pause)
		select {
		case <-time.After(pause):
		case <-m.stop:
			return ErrMuxClosed
		}
	}
}

// admit gives a new connection its goroutine, at the cost of the oldest one
// that has not said what it is.
func (m *Mux) admit(nc net.Conn) {
	c := &muxConn{Conn: nc, mux: m}
	m.mu.Lock()
	if m.closed {
		m.mu.Unlock()
		c.Conn.Close()
		return
	}
	var oldest *muxConn
	if m.pending.Len() >= m.opts.PendingMax {
		oldest = m.pending.Remove(m.pending.Front()).(*muxConn)
		oldest.place = nil
	}
	c.place = m.pending.PushBack(c)
	m.conns[c] = struct{}{}
	m.wg.Add(1)
	m.mu.Unlock()
	if oldest != nil {
		m.opts.Log.Debug("too many connections without a preface", "closed", oldest.RemoteAddr())
		oldest.Close()
	}
	go m.serve(c)
}

// serve reads the preface and runs the handler.
func (m *Mux) serve(c *muxConn) {
	defer m.wg.Done()
	p, err := m.preface(c)
	if err != nil {
		m.opts.Log.Debug("connection refused", "remote", c.RemoteAddr(), "error", err)
		var wrong *FrameError
		if errors.As(err, &wrong) {
			Refuse(c, AsError(err))
		}
		c.Close()
		return
	}
	h, refusal := m.dispatch(c, p.Kind)
	if refusal != nil {
		m.opts.Log.Debug("connection refused", "remote", c.RemoteAddr(), "kind", p.Kind, "error", refusal)
		Refuse(c, refusal)
		return
	}
	h(c, p)
}

func (m *Mux) preface(c *muxConn) (Preface, error) {
	if err := c.SetDeadline(time.Now().Add(m.opts.PrefaceTimeout)); err != nil {
		return Preface{}, err
	}
	p, err := ReadPreface(c)
	if err != nil {
		return Preface{}, err
	}
	return p, c.SetDeadline(time.Time{})
}

// dispatch finds the handler and counts the connection under its kind.
func (m *Mux) dispatch(c *muxConn, kind Kind) (Handler, *Error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if c.place != nil {
		m.pending.Remove(c.place)
		c.place = nil
	}
	h := m.handlers[kind]
	count, limit := &m.nodes, m.opts.NodesMax
	if kind == KindClient {
		count, limit = &m.clients, m.opts.ClientsMax
	}
	switch {
	case m.closed || h == nil:
		return nil, Errorf(CodeShuttingDown, "this node takes no %s connections now", kind)
	case *count >= limit:
		return nil, Errorf(CodeLimit, "this node holds %d %s connections, which is its limit", limit, kind)
	}
	if _, alive := m.conns[c]; !alive {
		return nil, Errorf(CodeLimit, "too many connections without a preface")
	}
	*count++
	c.counted = count
	return h, nil
}

// forget is called when a connection is closed, once.
func (m *Mux) forget(c *muxConn) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.conns, c)
	if c.place != nil {
		m.pending.Remove(c.place)
		c.place = nil
	}
	if c.counted != nil {
		*c.counted--
		c.counted = nil
	}
}

// StopAccepting closes the port; the connections stay.
func (m *Mux) StopAccepting() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.stopLocked()
}

func (m *Mux) stopLocked() error {
	if m.closed {
		return nil
	}
	m.closed = true
	close(m.stop)
	return m.l.Close()
}

// Close closes the port and all connections, and waits until every handler
// has returned. Serve, if it runs, returns too; its caller waits for it.
func (m *Mux) Close() error {
	m.mu.Lock()
	err := m.stopLocked()
	conns := make([]*muxConn, 0, len(m.conns))
	for c := range m.conns {
		conns = append(conns, c)
	}
	m.mu.Unlock()
	for _, c := range conns {
		c.Close()
	}
	m.wg.Wait()
	return err
}
