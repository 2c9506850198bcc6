package serve

import (
	"log/slog"
	"math"
	"runtime"
	"runtime/debug"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ferrymq/ferrymq/cluster/store"
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

// TestMemoryIsLimitedBeforeAnythingIsRead: where the data folder cannot even be
// opened, the runtime has its limit all the same. So it has before the state is
// read, which may be as large as the limit.
func TestMemoryIsLimitedBeforeAnythingIsRead(t *testing.T) {
	t.Cleanup(func() { debug.SetMemoryLimit(math.MaxInt64) })
	debug.SetMemoryLimit(math.MaxInt64)
	dir := t.TempDir()
	lock, err := store.Lock(dir)
	require.NoError(t, err)
	defer lock.Close()

	const size = 1 << 30
	err = Run(t.Context(), &config.Config{Data: dir, MemoryLimit: size}, slog.New(slog.DiscardHandler), "test")
	require.ErrorIs(t, err, ErrLocked)
	require.EqualValues(t, size, debug.SetMemoryLimit(-1))
}
