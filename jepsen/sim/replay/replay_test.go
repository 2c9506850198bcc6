package replay

import (
	"bytes"
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	_ "github.com/ferrymq/ferrymq/jepsen/sim" // whose change makes this test run again
)

const (
	seed   = 5
	length = 8 * time.Second
)

// TestSameSeedSameTrace holds what replaying rests on.
func TestSameSeedSameTrace(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	p, err := Build(ctx, CacheDir())
	require.NoError(t, err)
	defer func() { require.NoError(t, p.Close(context.Background())) }()
	began := time.Now()
	traces := make([]bytes.Buffer, 3)
	var runs sync.WaitGroup
	for i, s := range []uint64{seed, seed, seed + 1} {
		runs.Go(func() {
			if err := p.Run(ctx, s, length, &traces[i], "-only", "work"); err != nil {
				t.Errorf("seed %d: %v\n%s", s, err, traces[i].String())
			}
		})
	}
	runs.Wait()
	t.Logf("3 runs in %v", time.Since(began))
	require.Greater(t, bytes.Count(traces[0].Bytes(), []byte("\n")), 50, "a trace without events compares nothing")
	require.Equal(t, traces[0].String(), traces[1].String())
	require.NotEqual(t, traces[0].String(), traces[2].String())
}
