package cluster

import (
	"errors"
	"time"

	"github.com/hashicorp/raft"
)

// compactLoop takes a snapshot whenever the log has grown by enough bytes.
func (g *Group) compactLoop() {
	trailing := uint64(trailingEntriesFrom)
	for {
		select {
		case <-g.ctx.Done():
			return
		case <-g.fsm.growth.due:
		}
		for g.fsm.growth.stillDue() && !g.fsm.stopped.Load() {
			trailing = g.sizeTrailing(trailing)
			err := g.raft.Snapshot().Error()
			if err == nil {
				break
			}
			if !errors.Is(err, raft.ErrNothingNewToSnapshot) {
				g.log.Warn("no snapshot could be taken", "error", err)
			}
			select {
			case <-time.After(snapshotRetryEvery):
			case <-g.ctx.Done():
				return
			}
		}
	}
}

// Snapshot takes a snapshot now.
func (g *Group) Snapshot() error {
	err := g.raft.Snapshot().Error()
	if errors.Is(err, raft.ErrNothingNewToSnapshot) {
		return nil
	}
	return err
}

// sizeTrailing tells raft how many entries make TrailingBytes now: what a
// follower can be behind before it needs a whole snapshot.
func (g *Group) sizeTrailing(trailing uint64) uint64 {
	n, known := g.fsm.growth.entriesIn(g.opts.TrailingBytes)
	if !known {
		return trailing
	}
	n = min(max(n, trailingEntriesMin), trailingEntriesMax)
	if n > trailing/2 && n < trailing*2 {
		return trailing
	}
	if err := g.raft.ReloadConfig(reloadable(g.conf, n)); err != nil {
		g.log.Warn("the trailing log keeps its length", "entries", trailing, "error", err)
		return trailing
	}
	return n
}
