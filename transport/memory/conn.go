package memory

import (
	"net"
	"sync"
	"time"
)

// conn is one end of a connection: it writes into one pipe and reads from another.
type conn struct {
	n             *Network
	local, remote address
	in, out       *pipe
	readUntil     deadline
	writeUntil    deadline
	once          sync.Once
}

func newConns(n *Network, a, b address) (near, far *conn) {
	there, back := newPipe(link{a.host, b.host}, n.weather), newPipe(link{b.host, a.host}, n.weather)
	there.twin, back.twin = back, there
	near = &conn{n: n, local: a, remote: b, in: back, out: there}
	far = &conn{n: n, local: b, remote: a, in: there, out: back}
	for _, c := range []*conn{near, far} {
		c.readUntil.init()
		c.writeUntil.init()
	}
	return near, far
}

func (c *conn) link() link { return link{c.local.host, c.remote.host} }

func (c *conn) Read(b []byte) (int, error) {
	n, err := c.in.read(b, c.readUntil.passed())
	return n, c.wrap("read", err)
}

func (c *conn) Write(b []byte) (int, error) {
	n, err := c.out.write(b, c.writeUntil.passed())
	return n, c.wrap("write", err)
}

func (c *conn) wrap(op string, err error) error {
	if err == nil || err == errEOF {
		return err
	}
	return &net.OpError{Op: op, Net: "memory", Source: c.local, Addr: c.remote, Err: err}
}

// CloseWrite ends this direction: the other side reads the end of the stream.
func (c *conn) CloseWrite() error {
	c.out.end()
	return nil
}

// Close ends both directions. What was written still arrives.
func (c *conn) Close() error {
	c.once.Do(func() {
		c.out.end()
		c.out.abandonWrite()
		c.in.abandonRead()
		c.readUntil.set(time.Time{})
		c.writeUntil.set(time.Time{})
		c.n.remove(c)
	})
	return nil
}

func (c *conn) LocalAddr() net.Addr  { return c.local }
func (c *conn) RemoteAddr() net.Addr { return c.remote }

func (c *conn) SetDeadline(t time.Time) error {
	c.readUntil.set(t)
	c.writeUntil.set(t)
	return nil
}

func (c *conn) SetReadDeadline(t time.Time) error {
	c.readUntil.set(t)
	return nil
}

func (c *conn) SetWriteDeadline(t time.Time) error {
	c.writeUntil.set(t)
	return nil
}
