//go:build !wasip1

package store

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/hashicorp/raft"
	raftboltdb "github.com/hashicorp/raft-boltdb/v2"
	wal "github.com/hashicorp/raft-wal"
	"github.com/hashicorp/raft-wal/metadb"
	"github.com/hashicorp/raft-wal/segment"
	"github.com/hashicorp/raft-wal/types"
	"go.etcd.io/bbolt"
)

const (
	stableFile = "raft.db"
	boltFile   = "log.db"
	walFolder  = "wal"

	// boltLockWait bounds bbolt's wait for its file lock. The folder is locked
	// already; whoever still holds it is no FerryMQ.
	boltLockWait = 2 * time.Second
)

// backend is an opened library. It must be closed after its last call has
// returned.
type backend struct {
	raft.LogStore
	close func() error
}

// Close implements LogFile.
func (b backend) Close() error { return b.close() }

func openBackend(o Options, p Failures) (backend, error) {
	if o.LogStore == LogStoreBolt {
		db, err := openBolt(filepath.Join(o.Dir, boltFile), o)
		if err != nil {
			return backend{}, err
		}
		return backend{db, db.Close}, nil
	}
	return openWAL(o, p)
}

// openBolt opens raft-boltdb. Without NoFreelistSync every commit writes the
// list of free pages, and after the first large truncation that list is most
// of what is written: 50 commits/s where there were 2,000.
func openBolt(path string, o Options) (*raftboltdb.BoltStore, error) {
	db, err := raftboltdb.New(raftboltdb.Options{
		Path: path,
		BoltOptions: &bbolt.Options{
			Timeout:        boltLockWait,
			NoFreelistSync: true,
			FreelistType:   bbolt.FreelistMapType,
		},
	})
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	if err := errors.Join(db.Sync(), o.hooks.syncDir(o.Dir)); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), db.Close())
	}
	return db, nil
}

func openWAL(o Options, p Failures) (backend, error) {
	dir := filepath.Join(o.Dir, walFolder)
	if err := makeDir(dir, o.hooks.syncDir); err != nil {
		return backend{}, err
	}
	files := newWalFS(o.hooks.syncDir, p.Fail)
	segments := segment.NewFiler(dir, files)
	meta := &walMeta{segments: segments, segmentBytes: o.SegmentBytes, fail: p.Fail}
	filer := &walFiler{SegmentFiler: segments}
	log, err := wal.Open(dir,
		wal.WithMetaStore(meta),
		wal.WithSegmentFiler(filer),
		wal.WithSegmentSize(o.SegmentBytes),
		wal.WithLogger(bridge(o.Logger, "wal")))
	if err != nil {
		err = errors.Join(err, files.closeAll(), meta.Close())
		if errors.Is(err, types.ErrCorrupt) {
			return backend{}, fmt.Errorf("%w: open its log: %w", ErrForgotten, err)
		}
		return backend{}, fmt.Errorf("open log: %w", err)
	}
	return backend{&walLog{log, filer, p}, func() error { return errors.Join(log.Close(), meta.Close()) }}, nil
}

// IsMonotonic passes the property of the library on.
func (b backend) IsMonotonic() bool { return isMonotonic(b.LogStore) }

// checkLogStore refuses to open the empty log of one library beside the full
// one of the other.
func checkLogStore(o Options) error {
	other := filepath.Join(o.Dir, boltFile)
	if o.LogStore == LogStoreBolt {
		other = filepath.Join(o.Dir, walFolder, metadb.FileName)
	}
	found, err := exists(other)
	if err != nil {
		return err
	}
	if found {
		return fmt.Errorf("%w: %s exists, %q was asked for", ErrLogStore, other, o.LogStore)
	}
	return nil
}
