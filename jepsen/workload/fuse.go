package workload

import (
	"context"
	"net"
	"sync"
)

// Fuse dials connections that all break for good at one moment: what is left
// of a client then is what is left of a process that crashed.
type Fuse struct {
	dial  func(ctx context.Context, addr string) (net.Conn, error)
	blown chan struct{}

	mu    sync.Mutex
	over  bool
	conns []net.Conn
}

// NewFuse wraps the network of the environment.
func NewFuse(e *Env) *Fuse { return &Fuse{dial: e.network(), blown: make(chan struct{})} }

// Dial is a client's dialer.
func (f *Fuse) Dial(ctx context.Context, addr string) (net.Conn, error) {
	conn, err := f.dial(ctx, addr)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.over {
		conn.Close()
		return nil, &net.OpError{Op: "dial", Net: "cut", Err: errCut}
	}
	f.conns = append(f.conns, conn)
	return conn, nil
}

// Blow breaks everything, now and in time to come. It may be repeated.
func (f *Fuse) Blow() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.over {
		return
	}
	f.over = true
	for _, conn := range f.conns {
		conn.Close() // most are closed already
	}
	close(f.blown)
}

// Blown is closed at that moment.
func (f *Fuse) Blown() <-chan struct{} { return f.blown }
