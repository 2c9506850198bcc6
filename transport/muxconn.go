package transport

import (
	"container/list"
	"net"
	"sync"
	"time"
)

// muxConn is a connection that its port keeps count of until it is closed.
type muxConn struct {
	net.Conn
	mux     *Mux
	once    sync.Once
	err     error
	place   *list.Element // among those without a preface; guarded by mux.mu
	counted *int          // what it is counted in; guarded by mux.mu
}

// Close closes the connection; the port forgets it.
func (c *muxConn) Close() error {
	c.once.Do(func() {
		c.err = c.Conn.Close()
		c.mux.forget(c)
	})
	return c.err
}

// rawConn is the connection under a port's wrapper, if there is one: only the
// network's own type writes several buffers in one system call and can end
// one direction.
func rawConn(nc net.Conn) net.Conn {
	if c, ok := nc.(*muxConn); ok {
		return c.Conn
	}
	return nc
}

// refuseTimeout bounds the goodbye to a connection that is not wanted.
const refuseTimeout = 2 * time.Second

// Refuse sends an Error about the whole connection, in a frame that any client
// can read, gives the other side a moment to take it, and closes nc. It is for
// connections that have no Conn yet.
func Refuse(nc net.Conn, e *Error) {
	defer nc.Close()
	if nc.SetDeadline(time.Now().Add(refuseTimeout)) != nil {
		return // closed already
	}
	if _, err := nc.Write(AppendFrame(nil, Frame{Op: OpError, Payload: e.AppendTo(nil)})); err != nil {
		return // nobody reads it
	}
	linger(nc, refuseTimeout, func() { nc.Close() })
}
