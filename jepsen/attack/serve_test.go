package attack

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// serve answers every connection with f, closes it, and reads what is left so
// that the end is not a reset.
func serve(t *testing.T, f func(*raw) error) (address string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				if err := f(&raw{c}); err != nil {
					t.Error(err)
				}
				if err := c.(*net.TCPConn).CloseWrite(); err == nil {
					_, _ = io.Copy(io.Discard, c) // until the client goes, in whatever way
				}
				_ = c.Close()
			})
		}
	})
	t.Cleanup(func() { require.NoError(t, l.Close()); all.Wait() })
	return l.Addr().String()
}

// idleOnly is idle without the honest client.
func idleOnly(n int) run {
	return func(ctx context.Context, t Target) error {
		var errs []error
		for range n {
			errs = append(errs, opening(nil, anyCode)(ctx, t))
		}
		return errors.Join(errs...)
	}
}
