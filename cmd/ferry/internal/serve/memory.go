package serve

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"time"

	"github.com/ferrymq/ferrymq/cmd/ferry/internal/config"
)

const (
	// messagesShare of the memory limit is for messages' bodies; the rest is for
	// their index, and what moves: frames, entries, the log's cache, the runtime.
	messagesShare = 2

	// collectEvery is how old the figure of what lives may get while it is high:
	// nothing else may collect where everybody waits for it to fall.
	collectEvery = 10 * time.Second
)

// messagesLimit is the bound of bodies in a group; 0: none.
func messagesLimit(c *config.Config) int64 { return int64(c.MemoryLimit) / messagesShare }

// limitMemory makes the runtime collect harder near the limit, from the start on.
func limitMemory(c *config.Config) {
	if c.MemoryLimit > 0 {
		debug.SetMemoryLimit(int64(c.MemoryLimit))
	}
}

// heap watches the memory of the process. It is used by one goroutine.
type heap struct {
	limit     int64 // what it may have
	room      int64 // what the runtime is told: it collects harder near it
	cycles    uint64
	collected time.Time // when the runtime was last seen to have collected
}

// heapOf is what the broker watches: how much lives, and how much may. Nil:
// there is no limit.
func heapOf(c *config.Config) func() (live, limit int64) {
	if c.MemoryLimit == 0 {
		return nil
	}
	h := &heap{limit: int64(c.MemoryLimit)}
	return func() (live, limit int64) { return h.look(time.Now()), h.limit }
}

// look tells what lived at the last collection, and has one made if that is
// much and long ago. Where nearly as much lives as may, the runtime gets some
// room above it: else it would collect all the time, and free nothing.
func (h *heap) look(now time.Time) (live int64) {
	live, cycles := liveHeap()
	if cycles != h.cycles {
		h.cycles, h.collected = cycles, now
	}
	if live > h.limit/2 && now.Sub(h.collected) >= collectEvery {
		runtime.GC()
		live, h.cycles = liveHeap()
		h.collected = now
	}
	if room := max(h.limit, live+live/4); room != h.room {
		h.room = room
		debug.SetMemoryLimit(room)
	}
	return live
}

func liveHeap() (bytes int64, cycles uint64) {
	s := [...]metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/cycles/total:gc-cycles"}}
	metrics.Read(s[:])
	return int64(s[0].Value.Uint64()), s[1].Value.Uint64()
}
