package workload

import (
	"context"
	"io"
	"net"
	"testing"

	"github.com/stretchr/testify/require"
)

// A blown fuse breaks every connection, and makes none any more.
func TestFuse(t *testing.T) {
	e := &Env{Net: func(context.Context, string) (net.Conn, error) {
		here, there := net.Pipe()
		t.Cleanup(func() { there.Close() })
		return here, nil
	}}
	f := NewFuse(e)
	var conns []net.Conn
	for range 2 {
		conn, err := f.Dial(t.Context(), "a:1")
		require.NoError(t, err)
		conns = append(conns, conn)
	}
	f.Blow()
	f.Blow()
	<-f.Blown()
	for _, conn := range conns {
		_, err := conn.Write([]byte{1})
		require.ErrorIs(t, err, io.ErrClosedPipe)
	}
	_, err := f.Dial(t.Context(), "a:1")
	require.ErrorIs(t, err, errCut)
}
