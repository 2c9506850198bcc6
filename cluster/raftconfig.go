package cluster

import (
	"time"

	"github.com/hashicorp/raft"
)

// never is a threshold and an interval that raft's own snapshot trigger, which
// counts entries, does not reach.
const (
	neverEntries  = uint64(1) << 62
	neverInterval = 24 * time.Hour

	trailingEntriesMin  = 256
	trailingEntriesMax  = 1 << 20
	trailingEntriesFrom = 4096 // until the size of entries is known
)

// raftConfig is how hashicorp/raft is run, with the reasons in docs/decisions.
func raftConfig(o GroupOptions) *raft.Config {
	c := raft.DefaultConfig()
	c.LocalID = raft.ServerID(o.ServerID)
	c.HeartbeatTimeout = o.HeartbeatTimeout
	c.ElectionTimeout = o.ElectionTimeout
	c.LeaderLeaseTimeout = o.LeaderLease
	c.CommitTimeout = o.CommitTimeout
	c.MaxAppendEntries = appendEntriesMax
	c.BatchApplyCh = false // true would let an entry time out after it was taken
	c.PreVoteDisabled = false
	c.SnapshotThreshold = neverEntries
	c.SnapshotInterval = neverInterval
	c.TrailingLogs = trailingEntriesFrom
	c.NoSnapshotRestoreOnStart = false
	// A leader that removes itself steps down, and the node then stops in
	// order. true would let raft shut down by itself and leave proposals that
	// wait for its FSM without an answer.
	c.ShutdownOnRemove = false
	c.NoLegacyTelemetry = true
	c.Logger = NewHCLogger(o.Logger).Named("raft")
	return c
}

// reloadable is what compact.go changes while raft runs.
func reloadable(c *raft.Config, trailing uint64) raft.ReloadableConfig {
	return raft.ReloadableConfig{
		TrailingLogs:      trailing,
		SnapshotInterval:  c.SnapshotInterval,
		SnapshotThreshold: c.SnapshotThreshold,
		HeartbeatTimeout:  c.HeartbeatTimeout,
		ElectionTimeout:   c.ElectionTimeout,
	}
}
