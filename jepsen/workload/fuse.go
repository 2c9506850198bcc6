package workload

import (
	"context"
	"net"
	"sync"
)

// fuse dials connections that all break for good at one moment: what is left
// of a client then is what is left of a process that crashed.
type fuse struct {
	dial  func(ctx context.Context, addr string) (net.Conn, error)
	blown chan struct{}

	mu    sync.Mutex
	over  bool
	conns []net.Conn
}

// newFuse wraps the network of the environment.
func newFuse(e *Env) *fuse { return &fuse{dial: e.network(), blown: make(chan struct{})} }

// Dial is a client's dialer.
func (f *fuse) Dial(ctx context.Context, addr string) (net.Conn, error) {
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

// blow breaks everything, now and in time to come. It may be repeated.
func (f *fuse) blow() {
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
