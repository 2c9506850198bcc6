package config

import "time"

// Config of a node.
type Config struct {
	Node string // its name, unique in the cluster
	Data string // folder

	Listen          string // clients, peers and Raft
	Advertise       string // what other nodes dial; "": Listen
	AdvertiseClient string // what clients are told; "": Advertise
	Gossip          string
	AdvertiseGossip string // "": Gossip
	HTTP            string // metrics and health

	Join            []string // gossip addresses of other nodes
	BootstrapExpect int      // nodes that found a new cluster; 0: never found one
	ClusterKeyFile  string   // "": nodes do not prove anything to each other

	// WithoutClusterKey permits that outside loopback.
	WithoutClusterKey bool

	LogStore      string // LogStoreWAL or LogStoreBolt
	StoreDeadline time.Duration
	SnapshotBytes Bytes  // log written between two snapshots
	TrailingBytes Bytes  // log kept behind a snapshot for slow nodes
	MemoryLimit   Bytes  // of message bodies and of the Go runtime; 0: none
	DiskLow       Mark   // free space of the data folder's file system below which publishes are refused
	MessageMax    Bytes  // headers included
	PublishRate   int    // messages a second that one connection may publish; 0: no limit
	PublishBurst  int    // messages that it may publish at once; 0: the rate
	TraceEvents   int    // events of messages' lives that are kept for a group; 0: none
	Connections   int    // of clients
	LogLevel      string // debug, info, warn, error
	LogFormat     string // text or json

	HeartbeatTimeout   time.Duration
	ElectionTimeout    time.Duration
	LeaderLeaseTimeout time.Duration
	CommitTimeout      time.Duration
	ShutdownTimeout    time.Duration // for handing over and draining

	Pprof bool
	File  string // where the rest came from, "" for none
}

// Log stores.
const (
	LogStoreWAL  = "wal"
	LogStoreBolt = "boltdb"
)

// Bounds of the settings.
const (
	NodeNameMax        = 64
	BootstrapExpectMax = 9
	MessageMaxMax      = Bytes(1 << 20) // what a frame holds
	MessageMaxMin      = Bytes(1 << 10)
	MemoryLimitMin     = Bytes(64 << 20)
	ConnectionsMax     = 1 << 20
	PublishRateMax     = 100_000_000
	TraceEventsMax     = 10_000_000
	TimeoutMin         = 20 * time.Millisecond
	TimeoutMax         = time.Minute
	joinMax            = 64
	fileBytesMax       = 1 << 20
)

// Default returns the settings that hold where nothing is said.
func Default() *Config {
	return &Config{
		Data:               "ferry-data",
		Listen:             "127.0.0.1:7700",
		Gossip:             "127.0.0.1:7701",
		HTTP:               "127.0.0.1:7702",
		LogStore:           LogStoreWAL,
		StoreDeadline:      10 * time.Second,
		SnapshotBytes:      256 << 20,
		TrailingBytes:      256 << 20,
		DiskLow:            Mark{Percent: 5, Bytes: 1 << 30},
		MessageMax:         1 << 20,
		TraceEvents:        100_000,
		Connections:        10000,
		LogLevel:           "info",
		LogFormat:          "text",
		HeartbeatTimeout:   300 * time.Millisecond,
		ElectionTimeout:    300 * time.Millisecond,
		LeaderLeaseTimeout: 300 * time.Millisecond,
		CommitTimeout:      50 * time.Millisecond,
		ShutdownTimeout:    10 * time.Second,
	}
}

// derive fills the settings whose default is another setting.
func (c *Config) derive() {
	if c.Advertise == "" {
		c.Advertise = c.Listen
	}
	if c.AdvertiseClient == "" {
		c.AdvertiseClient = c.Advertise
	}
	if c.AdvertiseGossip == "" {
		c.AdvertiseGossip = c.Gossip
	}
}
