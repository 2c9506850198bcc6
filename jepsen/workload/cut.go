package workload

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"sync"
)

// cutter dials connections that break by themselves after some writes: before
// one, so that what was asked never arrives, or just after, so that the answer
// is lost. Now and then it refuses to connect, so that the client turns to
// another node.
type cutter struct {
	dial func(ctx context.Context, addr string) (net.Conn, error)

	mu   sync.Mutex
	rand *rand.Rand
}

// Bounds of how many writes a connection lives for.
const (
	writesMin = 6
	writesMax = 60
)

var errCut = errors.New("cut on purpose")

// newCutter wraps the network of the environment.
func newCutter(e *Env, r *rand.Rand) *cutter {
	return &cutter{dial: e.network(), rand: r}
}

// network is how nodes are reached.
func (e *Env) network() func(ctx context.Context, addr string) (net.Conn, error) {
	if e.Net != nil {
		return e.Net
	}
	return func(ctx context.Context, addr string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "tcp", addr)
	}
}

// Dial is a client's dialer.
func (c *cutter) Dial(ctx context.Context, addr string) (net.Conn, error) {
	writes, late, refuse := c.draw()
	if refuse {
		return nil, &net.OpError{Op: "dial", Net: "cut", Err: errCut}
	}
	conn, err := c.dial(ctx, addr)
	if err != nil {
		return nil, err
	}
	return &cutConn{Conn: conn, writes: writes, late: late}, nil
}

func (c *cutter) draw() (writes int, late, refuse bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return writesMin + c.rand.IntN(writesMax-writesMin), c.rand.IntN(2) == 0, c.rand.IntN(4) == 0
}

// cutConn breaks at its last write. Write is called by one goroutine at a time.
type cutConn struct {
	net.Conn
	writes int  // left
	late   bool // the last one arrives
}

func (c *cutConn) Write(b []byte) (int, error) {
	if c.writes--; c.writes > 0 {
		return c.Conn.Write(b)
	}
	if c.writes == 0 && c.late {
		if n, err := c.Conn.Write(b); err != nil {
			return n, err
		}
	}
	return 0, errors.Join(errCut, c.Conn.Close())
}
