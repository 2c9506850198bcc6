package store

import (
	"errors"
	"fmt"
	"log/slog"

	"github.com/hashicorp/raft"
)

// verify decides at Open whether this replica may vote. It reads the whole
// log once: raft would read what follows the snapshot anyway, and a rotten
// entry is better found here than by a follower that needs it.
//
//	snapshot ........S
//	log          first ................last
//	watermark                  N
//
// The log must join the snapshot, every entry from first to last (holes only
// up to S) must be good, and the end must reach N. A bad entry above N is torn:
// no vote and no acknowledgement older than the watermark's interval rests on
// it. It is cut off with all that follows. A bad one up to N is rotten.
func verify(log raft.LogStore, snapshot uint64, promised mark, logger *slog.Logger) (end uint64, err error) {
	first, err := log.FirstIndex()
	if err != nil {
		return 0, err
	}
	last, err := log.LastIndex()
	if err != nil {
		return 0, err
	}
	if last > 0 && first > snapshot+1 {
		return 0, fmt.Errorf("%w: the log begins at %d, the last good snapshot ends at %d", ErrForgotten, first, snapshot)
	}
	if last > 0 {
		last, err = verifyEntries(log, first, last, snapshot, promised.end, logger)
		if err != nil {
			return 0, err
		}
	}
	if last > 0 && last < snapshot && isMonotonic(log) {
		// The process died after it had committed a snapshot that a leader
		// sent, and before it had emptied the log. Such a log refuses what
		// follows the snapshot.
		logger.Warn("the log ends before the snapshot, emptying it", "last", last, "snapshot", snapshot)
		if err := log.DeleteRange(first, last); err != nil {
			return 0, fmt.Errorf("empty a log that a snapshot replaced: %w", err)
		}
	}
	end = max(last, snapshot)
	if end < promised.end {
		return 0, fmt.Errorf("%w: it ends at %d (log %d, snapshot %d) and was once durable up to %d",
			ErrForgotten, end, last, snapshot, promised.end)
	}
	return end, nil
}

// verifyEntries returns the last good index.
func verifyEntries(log raft.LogStore, first, last, snapshot, promised uint64, logger *slog.Logger) (uint64, error) {
	var entry raft.Log
	for i := first; i <= last; i++ {
		err := log.GetLog(i, &entry)
		switch {
		case err == nil:
			continue
		case errors.Is(err, raft.ErrLogNotFound) && i <= snapshot:
			i = snapshot // a hole left by an installed snapshot (raft-boltdb)
			continue
		case !errors.Is(err, raft.ErrLogNotFound) && !errors.Is(err, ErrCorrupt):
			return 0, fmt.Errorf("verify entry %d: %w", i, err)
		}
		if i <= promised {
			return 0, fmt.Errorf("%w: it was once durable up to %d: %w", ErrForgotten, promised, err)
		}
		logger.Warn("log ends in a torn write, cutting it", "from", i, "to", last, "watermark", promised, "error", err)
		if err := log.DeleteRange(i, last); err != nil {
			return 0, fmt.Errorf("cut a torn tail: %w", err)
		}
		return i - 1, nil
	}
	return last, nil
}

// verifyVote compares the record of term and vote with what the watermark
// remembers of it: bbolt falls back to an older root page when the newest is
// damaged, and a lost file is an empty one.
func verifyVote(rec voteRecord, promised mark) error {
	if rec.term < promised.term || rec.voteTerm < promised.voteTerm {
		return fmt.Errorf("%w: it knows term %d and a vote in term %d, and once had term %d and a vote in term %d",
			ErrForgotten, rec.term, rec.voteTerm, promised.term, promised.voteTerm)
	}
	return nil
}
