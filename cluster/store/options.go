package store

import (
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Names of the log stores.
const (
	LogStoreWAL  = "wal"
	LogStoreBolt = "boltdb"
)

const (
	defaultDeadline          = 10 * time.Second
	defaultSegmentBytes      = 64 << 20
	defaultSnapshotsRetained = 2

	segmentBytesMin = 64 << 10
	segmentBytesMax = 1 << 30
)

// Options says where a group's stores are and what to do when they fail. The
// zero value of each field but Dir means its default.
type Options struct {
	// Dir is the folder of this group. It is made if it does not exist.
	Dir string

	// Existing says that the folder held this group's stores before: if they
	// are gone, the replica has forgotten, and is not a new one.
	Existing bool

	// LogStore is LogStoreWAL (the default) or LogStoreBolt. It is fixed
	// once the folder holds a log.
	LogStore string

	// Deadline bounds every call of raft into the log and the vote (default
	// 10 s). A hung disk otherwise stops a leader's log while its heartbeats
	// go on, and no other leader is ever elected.
	Deadline time.Duration

	// OnHang is called once, when a call first exceeds the deadline: step
	// down and exit. OnFatal is called once, on the first I/O error or
	// corrupt entry: exit. Only the first of the two happens. Both run on the
	// goroutine that noticed, often raft's own: they must return at once and
	// must not call the Store or wait for raft.
	OnHang  func(op string, took time.Duration)
	OnFatal func(err error)

	Logger *slog.Logger

	// SegmentBytes is the size of a raft-wal segment file (default 64 MiB),
	// preallocated.
	SegmentBytes int

	// SnapshotsRetained is how many snapshots are kept (default 2).
	SnapshotsRetained int

	hooks hooks
}

func (o Options) withDefaults() Options {
	if o.LogStore == "" {
		o.LogStore = LogStoreWAL
	}
	if o.Deadline == 0 {
		o.Deadline = defaultDeadline
	}
	if o.OnHang == nil {
		o.OnHang = func(string, time.Duration) {}
	}
	if o.OnFatal == nil {
		o.OnFatal = func(error) {}
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.SegmentBytes == 0 {
		o.SegmentBytes = defaultSegmentBytes
	}
	if o.SnapshotsRetained == 0 {
		o.SnapshotsRetained = defaultSnapshotsRetained
	}
	o.hooks = o.hooks.withDefaults()
	return o
}

// Validate returns every mistake in the options, after defaults.
func (o Options) Validate() error {
	o = o.withDefaults()
	var errs []error
	if o.Dir == "" {
		errs = append(errs, errors.New("store: Dir is empty"))
	}
	if o.LogStore != LogStoreWAL && o.LogStore != LogStoreBolt {
		errs = append(errs, fmt.Errorf("store: LogStore is %q, must be %q or %q", o.LogStore, LogStoreWAL, LogStoreBolt))
	}
	if o.Deadline < 0 {
		errs = append(errs, fmt.Errorf("store: Deadline %v is negative", o.Deadline))
	}
	if o.SegmentBytes < segmentBytesMin || o.SegmentBytes > segmentBytesMax {
		errs = append(errs, fmt.Errorf("store: SegmentBytes %d is not within %d to %d", o.SegmentBytes, segmentBytesMin, segmentBytesMax))
	}
	if o.SnapshotsRetained < 1 {
		errs = append(errs, fmt.Errorf("store: SnapshotsRetained %d is below 1", o.SnapshotsRetained))
	}
	return errors.Join(errs...)
}
