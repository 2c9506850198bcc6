package serve

import (
	"runtime/debug"

	"github.com/ferrymq/ferrymq/cmd/ferry/internal/config"
)

// messagesShare of the memory limit is for waiting messages' bodies; the rest
// is for what moves: frames, entries, the log's cache, the runtime.
const messagesShare = 2

// limitMemory makes the runtime collect harder near the limit.
func limitMemory(limit config.Bytes) { debug.SetMemoryLimit(int64(limit)) }

// messagesLimit is the bound of bodies waiting in a group; 0: none.
func messagesLimit(c *config.Config) int64 { return int64(c.MemoryLimit) / messagesShare }
