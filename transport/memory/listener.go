package memory

import (
	"net"
	"sync"
)

// listener hands out the far ends of connections.
type listener struct {
	n        *Network
	addr     address
	accepted chan *conn
	closed   chan struct{}
	once     sync.Once
}

func (l *listener) Addr() net.Addr { return l.addr }

func (l *listener) Accept() (net.Conn, error) {
	select {
	case <-l.closed:
		return nil, l.ended()
	default:
	}
	select {
	case c := <-l.accepted:
		return c, nil
	case <-l.closed:
		return nil, l.ended()
	}
}

func (l *listener) ended() error {
	return &net.OpError{Op: "accept", Net: "memory", Addr: l.addr, Err: net.ErrClosed}
}

// Close ends Accept and breaks the connections that nobody accepted.
func (l *listener) Close() error {
	l.once.Do(func() {
		l.n.mu.Lock()
		if l.n.listeners[l.addr.String()] == l {
			delete(l.n.listeners, l.addr.String())
		}
		l.n.mu.Unlock()
		close(l.closed)
		for {
			select {
			case c := <-l.accepted:
				c.out.reset()
				c.Close()
				continue
			default:
			}
			return
		}
	})
	return nil
}
