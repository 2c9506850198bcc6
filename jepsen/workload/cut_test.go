package workload

import (
	"context"
	"io"
	"math/rand/v2"
	"net"
	"testing"

	"github.com/stretchr/testify/require"
)

// A connection lives for a bounded number of writes, and its last one arrives
// or does not. Some cannot be made at all.
func TestConnectionsAreCut(t *testing.T) {
	arrived := make(chan int, 1)
	e := &Env{Net: func(context.Context, string) (net.Conn, error) {
		here, there := net.Pipe()
		go func() {
			b, err := io.ReadAll(there)
			if err != nil {
				t.Error(err)
			}
			arrived <- len(b)
		}()
		return here, nil
	}}
	c := newCutter(e, rand.New(rand.NewPCG(1, 2)))
	refused, late, early := 0, 0, 0
	for range 200 {
		conn, err := c.Dial(t.Context(), "a:1")
		if err != nil {
			require.ErrorIs(t, err, errCut)
			refused++
			continue
		}
		n := 0
		for err == nil {
			if _, err = conn.Write([]byte{1}); err == nil {
				n++
			}
		}
		require.ErrorIs(t, err, errCut)
		require.GreaterOrEqual(t, n+1, writesMin)
		require.Less(t, n+1, writesMax)
		if <-arrived > n {
			late++
		} else {
			early++
		}
	}
	require.Greater(t, refused, 20)
	require.Greater(t, late, 20)
	require.Greater(t, early, 20)
}
