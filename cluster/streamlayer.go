package cluster

import (
	"context"
	"net"
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// acceptedMax is how many connections may wait for raft to accept them.
const acceptedMax = 64

// StreamLayer feeds raft's transport of one group from the shared port.
// Connections come in through Deliver; Dial writes the preface.
type StreamLayer struct {
	addr string // this server's RaftAddr
	dial DialServer

	accepted chan net.Conn
	closed   chan struct{}

	mu     sync.Mutex
	isShut bool
	conns  map[*layerConn]struct{}
	served sync.WaitGroup // connections that raft accepted and has not closed
}

// DialServer connects to a server at host:port; the connection is past preface,
// proof and the server's id.
type DialServer func(ctx context.Context, serverID, hostPort string) (net.Conn, error)

// NewStreamLayer makes the stream layer of a group at addr, a RaftAddr.
func NewStreamLayer(addr raft.ServerAddress, dial DialServer) *StreamLayer {
	return &StreamLayer{
		addr: string(addr), dial: dial,
		accepted: make(chan net.Conn, acceptedMax),
		closed:   make(chan struct{}),
		conns:    make(map[*layerConn]struct{}),
	}
}

var _ raft.StreamLayer = (*StreamLayer)(nil)

// Deliver hands over an accepted connection whose preface and proof are done.
// The layer owns it from now on, and closes it if nobody takes it.
func (s *StreamLayer) Deliver(conn net.Conn) {
	c := s.track(conn, true)
	if c == nil {
		return
	}
	select {
	case s.accepted <- c:
	default: // raft does not keep up: the other side dials again
		c.Close()
	}
}

// Accept implements net.Listener.
func (s *StreamLayer) Accept() (net.Conn, error) {
	select {
	case c := <-s.accepted:
		return c, nil
	case <-s.closed:
		return nil, net.ErrClosed
	}
}

// Close ends every connection and waits until raft let go of those it served.
func (s *StreamLayer) Close() error {
	s.mu.Lock()
	first := !s.isShut
	s.isShut = true
	open := make([]*layerConn, 0, len(s.conns))
	for c := range s.conns {
		open = append(open, c)
	}
	s.mu.Unlock()
	if first {
		close(s.closed)
	}
	for _, c := range open {
		c.Conn.Close() // a reader of it fails and then closes c itself
	}
	for {
		select {
		case c := <-s.accepted:
			c.Close()
			continue
		default:
		}
		break
	}
	return nil
}

// Wait returns when raft has closed every connection that it accepted.
func (s *StreamLayer) Wait() { s.served.Wait() }

// Addr implements net.Listener with this server's RaftAddr.
func (s *StreamLayer) Addr() net.Addr { return layerAddr(s.addr) }

// Dial implements raft.StreamLayer.
func (s *StreamLayer) Dial(addr raft.ServerAddress, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), min(timeout, raftDialTimeout))
	defer cancel()
	conn, err := s.dial(ctx, serverOf(addr), hostPort(addr))
	if err != nil {
		return nil, err
	}
	c := s.track(conn, false)
	if c == nil {
		return nil, net.ErrClosed
	}
	return c, nil
}

// track returns nil, and closes conn, if the layer is closed.
func (s *StreamLayer) track(conn net.Conn, served bool) *layerConn {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.isShut {
		conn.Close()
		return nil
	}
	c := &layerConn{Conn: conn, layer: s, served: served}
	s.conns[c] = struct{}{}
	if served {
		s.served.Add(1)
	}
	return c
}

// layerConn tells its layer when it is closed.
type layerConn struct {
	net.Conn
	layer  *StreamLayer
	served bool
	once   sync.Once
}

func (c *layerConn) Close() error {
	err := c.Conn.Close()
	c.once.Do(func() {
		c.layer.mu.Lock()
		delete(c.layer.conns, c)
		c.layer.mu.Unlock()
		if c.served {
			c.layer.served.Done()
		}
	})
	return err
}

type layerAddr string

func (layerAddr) Network() string  { return "ferry" }
func (a layerAddr) String() string { return string(a) }
