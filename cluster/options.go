package cluster

import (
	"log/slog"
	"time"

	"github.com/hashicorp/raft"

	"github.com/ferrymq/ferrymq/fsm"
	"github.com/ferrymq/ferrymq/transport"
)

// Defaults of a group. The three timeouts were measured on two cores with
// heartbeats in raft's main loop: the gap after a leader's death stays below
// a second, and 16 busy threads cause no election.
const (
	defaultHeartbeatTimeout = 300 * time.Millisecond
	defaultElectionTimeout  = 300 * time.Millisecond
	defaultLeaderLease      = 300 * time.Millisecond
	defaultCommitTimeout    = 50 * time.Millisecond
	defaultEnqueueTimeout   = 5 * time.Second
	defaultSnapshotBytes    = 256 << 20
	defaultTrailingBytes    = 256 << 20
	defaultCloseTimeout     = 5 * time.Second
)

const (
	appendEntriesMax      = 64      // entries in one AppendEntries
	appendEntriesBytesMax = 4 << 20 // bytes in one AppendEntries; one larger entry travels alone
	logCacheEntriesMax    = 256
	logCacheBytesMax      = 16 << 20
	snapshotRetryEvery    = time.Second
)

// Stores is what a group keeps on disk. Package cluster/store has them for
// real disks, hashicorp/raft has them in memory.
type Stores struct {
	Log       raft.LogStore
	Stable    raft.StableStore
	Snapshots raft.SnapshotStore
}

// Directory tells what is known about nodes. Its methods must not block.
type Directory interface {
	// ClientAddr is what clients are told of a node, "" when unknown.
	ClientAddr(node string) string
	// PeerAddr is where a server listens now, "" when unknown: Raft's
	// configuration remembers where it was when it joined.
	PeerAddr(serverID string) string
}

// Tracer follows what happens to messages while a replica applies entries. It
// is called by one goroutine, and must return at once.
type Tracer interface {
	Add(fsm.TraceEvent)
	// Restored tells that the state was replaced by one that includes the
	// entry at index, and what its wall clock shows.
	Restored(index uint64, wallMillis int64)
}

// GroupOptions configures one replica of a group. Zero is the default where
// one is named.
type GroupOptions struct {
	ID        uint32
	Node      string         // this node's name
	ServerID  string         // Raft's name of this replica
	Stores    Stores         // owned by the caller, closed after the group
	Transport raft.Transport // closed by the group
	Directory Directory      // default: knows nobody

	HeartbeatTimeout time.Duration // default 300 ms
	ElectionTimeout  time.Duration // default 300 ms
	LeaderLease      time.Duration // default 300 ms
	CommitTimeout    time.Duration // default 50 ms
	EnqueueTimeout   time.Duration // default 5 s: how long Propose waits for raft's main loop
	CloseTimeout     time.Duration // default 5 s: bounds each step of Close

	SnapshotBytes int64 // default 256 MiB: applied since the last snapshot before the next is taken
	TrailingBytes int64 // default 256 MiB: log kept behind a snapshot for slow followers

	// WallSkew is added to this node's wall clock, and to nothing else that
	// tells time: a simulation's clock that is wrong. Default: none.
	WallSkew func() time.Duration

	// Tracer is told what happens to messages. Default: nobody is.
	Tracer Tracer

	Logger  *slog.Logger
	Metrics *Metrics // default: counted, but not registered

	// OnLeader is called from one goroutine, in order, with every change of
	// what Leader returns. Self goes to false before anything else happens in
	// a new leadership. It must return soon.
	OnLeader func(group *Group, info transport.GroupInfo, self bool)

	// OnFatal is called once, on any goroutine, when the replica must not go
	// on: stop the process. It must not call back and must return at once.
	OnFatal func(error)

	// OnRebuild is called at most once, with an error that is ErrRebuild: this
	// replica's state must be wiped. The same rules as for OnFatal.
	OnRebuild func(error)

	// OnStuck is called every time when this replica gets a snapshot again that
	// it cannot go on from, with an error that is ErrRebuild. It must return at
	// once. Without it such a replica asks for a rebuild without further ado,
	// which is right only if the others keep a majority without it.
	OnStuck func(error)

	// OnClockAlarm is called when this leader's wall clock begins or ends to
	// differ from the others' by more than it may.
	OnClockAlarm func(alarm bool, skew time.Duration)
}

func (o GroupOptions) withDefaults() GroupOptions {
	setDefault(&o.HeartbeatTimeout, defaultHeartbeatTimeout)
	setDefault(&o.ElectionTimeout, defaultElectionTimeout)
	setDefault(&o.LeaderLease, defaultLeaderLease)
	setDefault(&o.CommitTimeout, defaultCommitTimeout)
	setDefault(&o.EnqueueTimeout, defaultEnqueueTimeout)
	setDefault(&o.CloseTimeout, defaultCloseTimeout)
	setDefault(&o.SnapshotBytes, defaultSnapshotBytes)
	setDefault(&o.TrailingBytes, defaultTrailingBytes)
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Metrics == nil {
		o.Metrics = NewMetrics()
	}
	if o.Directory == nil {
		o.Directory = nobody{}
	}
	if o.WallSkew == nil {
		o.WallSkew = noSkew
	}
	if o.OnLeader == nil {
		o.OnLeader = func(*Group, transport.GroupInfo, bool) {}
	}
	if o.OnFatal == nil {
		o.OnFatal = func(error) {}
	}
	if o.OnRebuild == nil {
		o.OnRebuild = func(error) {}
	}
	if o.OnClockAlarm == nil {
		o.OnClockAlarm = func(bool, time.Duration) {}
	}
	return o
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Validate returns every mistake, after defaults.
func (o GroupOptions) Validate() error {
	o = o.withDefaults()
	var m mistakes
	m.when(o.Node == "", "Node is empty")
	m.when(o.ServerID == "", "ServerID is empty")
	m.when(o.Stores.Log == nil, "Stores.Log is missing")
	m.when(o.Stores.Stable == nil, "Stores.Stable is missing")
	m.when(o.Stores.Snapshots == nil, "Stores.Snapshots is missing")
	m.when(o.Transport == nil, "Transport is missing")
	m.when(o.HeartbeatTimeout < 5*time.Millisecond, "HeartbeatTimeout %v is below 5 ms", o.HeartbeatTimeout)
	m.when(o.ElectionTimeout < o.HeartbeatTimeout, "ElectionTimeout %v is below HeartbeatTimeout %v", o.ElectionTimeout, o.HeartbeatTimeout)
	m.when(o.LeaderLease < 5*time.Millisecond, "LeaderLease %v is below 5 ms", o.LeaderLease)
	m.when(o.LeaderLease > o.HeartbeatTimeout, "LeaderLease %v is above HeartbeatTimeout %v", o.LeaderLease, o.HeartbeatTimeout)
	m.when(o.CommitTimeout < time.Millisecond, "CommitTimeout %v is below 1 ms", o.CommitTimeout)
	m.when(o.EnqueueTimeout < 0, "EnqueueTimeout %v is negative", o.EnqueueTimeout)
	m.when(o.CloseTimeout < 0, "CloseTimeout %v is negative", o.CloseTimeout)
	m.when(o.SnapshotBytes < 0, "SnapshotBytes %d is negative", o.SnapshotBytes)
	m.when(o.TrailingBytes < 0, "TrailingBytes %d is negative", o.TrailingBytes)
	return m.err()
}

type nobody struct{}

func (nobody) ClientAddr(string) string { return "" }
func (nobody) PeerAddr(string) string   { return "" }
