package cluster

import "sync"

// growth counts the log since the last snapshot, in bytes, and says when the
// next one is due. raft itself counts entries, which say nothing about disk.
//
// A restart does not reset it: a replica applies its log again from its last
// snapshot on, and what it applies is counted.
type growth struct {
	due chan struct{} // gets a value when a snapshot is due

	mu           sync.Mutex
	threshold    int64
	entries      uint64
	bytes        int64
	snapshotSize int64 // of the last snapshot, 0 for none
}

// growthMark is where a snapshot was captured.
type growthMark struct {
	entries uint64
	bytes   int64
}

func (g *growth) init(threshold int64) {
	g.threshold, g.due = threshold, make(chan struct{}, 1)
}

func (g *growth) add(bytes int) {
	g.mu.Lock()
	g.entries++
	g.bytes += int64(bytes)
	due := g.isDue()
	g.mu.Unlock()
	if due {
		g.remind()
	}
}

// isDue also waits until the log has grown by as much as the last snapshot
// took: a large backlog would otherwise be written again and again.
func (g *growth) isDue() bool { return g.bytes >= max(g.threshold, g.snapshotSize) }

func (g *growth) remind() {
	select {
	case g.due <- struct{}{}:
	default:
	}
}

// stillDue tells whether a snapshot is (still) needed.
func (g *growth) stillDue() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.isDue()
}

func (g *growth) mark() growthMark {
	g.mu.Lock()
	defer g.mu.Unlock()
	return growthMark{entries: g.entries, bytes: g.bytes}
}

// persisted takes off what a snapshot covers. raft may still fail to rename
// it; the next one then comes later by one threshold.
func (g *growth) persisted(m growthMark, size int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.entries -= min(m.entries, g.entries)
	g.bytes -= min(m.bytes, g.bytes)
	g.snapshotSize = size
}

// restored begins anew at a snapshot that came from elsewhere.
func (g *growth) restored() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.entries, g.bytes = 0, 0
}

func (g *growth) noteSnapshotSize(size int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.snapshotSize = size
}

// entriesIn is how many entries of the present kind the bytes hold; ok is
// false while nothing is known.
func (g *growth) entriesIn(bytes int64) (n uint64, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.entries == 0 || g.bytes == 0 {
		return 0, false
	}
	average := max(g.bytes/int64(g.entries), 1)
	return uint64(bytes / average), true
}
