package transport

import (
	"context"
	"net"
	"time"
)

// Network is the seam to the network: TCP in production, package memory in
// tests and simulations.
type Network interface {
	Dial(ctx context.Context, addr string) (net.Conn, error)
	Listen(addr string) (net.Listener, error)
}

// keepAlive finds out about dead hosts under connections that carry no
// heartbeat of ours, like Raft's.
const keepAlive = 15 * time.Second

// TCP is the real network. Go's TCP connections send small writes at once.
type TCP struct{}

// Dial connects to host:port.
func (TCP) Dial(ctx context.Context, addr string) (net.Conn, error) {
	d := net.Dialer{KeepAlive: keepAlive}
	return d.DialContext(ctx, "tcp", addr)
}

// Listen accepts connections at host:port.
func (TCP) Listen(addr string) (net.Listener, error) {
	lc := net.ListenConfig{KeepAlive: keepAlive}
	return lc.Listen(context.Background(), "tcp", addr)
}
