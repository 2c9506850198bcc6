package serve

import (
	"math"
	"runtime"
	"runtime/debug"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ferrymq/ferrymq/cmd/ferry/internal/config"
)

// TestHeap: the figure follows what lives, also where nobody but the watch
// would collect, and the runtime always has room above it.
func TestHeap(t *testing.T) {
	require.Nil(t, heapOf(&config.Config{}), "no limit")
	t.Cleanup(func() { debug.SetMemoryLimit(math.MaxInt64) })
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // nobody else collects

	const size = 256 << 20
	h := &heap{limit: size}
	begin := time.Now()
	require.Less(t, h.look(begin), int64(size/2))
	require.EqualValues(t, size, debug.SetMemoryLimit(-1))

	kept := make([]byte, size)
	debug.SetMemoryLimit(math.MaxInt64) // the limit would have it collected
	runtime.GC()
	live := h.look(begin.Add(time.Second))
	require.GreaterOrEqual(t, live, int64(size))
	require.EqualValues(t, live+live/4, debug.SetMemoryLimit(-1), "room to collect in")
	runtime.KeepAlive(kept)

	kept = nil
	require.GreaterOrEqual(t, h.look(begin.Add(time.Second+collectEvery-1)), int64(size), "collected again so soon")
	require.Less(t, h.look(begin.Add(time.Second+collectEvery)), int64(size/2))
	require.EqualValues(t, size, debug.SetMemoryLimit(-1))
}
