package cluster

import (
	"sync"

	"github.com/hashicorp/raft"
)

// logCache keeps the newest entries of a log store in memory, so that the
// leader does not read back from disk what it sends to its followers. It is
// bounded in entries and in bytes, where raft.LogCache counts entries only,
// and a deletion drops only what was deleted.
type logCache struct {
	raft.LogStore

	entriesMax int
	bytesMax   int

	mu    sync.Mutex
	logs  map[uint64]*raft.Log // indexes first..last, without a gap
	first uint64
	last  uint64
	bytes int
}

func newLogCache(store raft.LogStore, entriesMax, bytesMax int) *logCache {
	return &logCache{
		LogStore: store, entriesMax: entriesMax, bytesMax: bytesMax,
		logs: make(map[uint64]*raft.Log, entriesMax),
	}
}

// IsMonotonic passes on whether the store refuses gaps.
func (c *logCache) IsMonotonic() bool {
	m, ok := c.LogStore.(raft.MonotonicLogStore)
	return ok && m.IsMonotonic()
}

func (c *logCache) GetLog(index uint64, out *raft.Log) error {
	c.mu.Lock()
	cached := c.logs[index]
	c.mu.Unlock()
	if cached != nil {
		*out = *cached
		return nil
	}
	return c.LogStore.GetLog(index, out)
}

func (c *logCache) StoreLog(l *raft.Log) error { return c.StoreLogs([]*raft.Log{l}) }

func (c *logCache) StoreLogs(logs []*raft.Log) error {
	if err := c.LogStore.StoreLogs(logs); err != nil {
		return err // as it is: raft answers it to the proposer
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, l := range logs {
		if c.last != 0 && l.Index != c.last+1 {
			c.clear()
		}
		if c.last == 0 {
			c.first = l.Index
		}
		kept := *l // the store may have set Extensions on it, and raft goes on using l
		c.logs[l.Index], c.last = &kept, l.Index
		c.bytes += len(l.Data)
		for c.last-c.first+1 > uint64(c.entriesMax) || c.bytes > c.bytesMax && c.first < c.last {
			c.dropFirst()
		}
	}
	return nil
}

func (c *logCache) DeleteRange(from, to uint64) error {
	c.mu.Lock()
	switch {
	case c.last == 0 || to < c.first || from > c.last:
	case to >= c.last && from > c.first: // the tail is cut
		for c.last >= from {
			c.bytes -= len(c.logs[c.last].Data)
			delete(c.logs, c.last)
			c.last--
		}
	case from <= c.first && to < c.last: // the front is cut
		for c.first <= to {
			c.dropFirst()
		}
	default:
		c.clear()
	}
	c.mu.Unlock()
	return c.LogStore.DeleteRange(from, to)
}

func (c *logCache) dropFirst() {
	c.bytes -= len(c.logs[c.first].Data)
	delete(c.logs, c.first)
	c.first++
}

func (c *logCache) clear() {
	clear(c.logs)
	c.first, c.last, c.bytes = 0, 0, 0
}
