//go:build !wasip1

package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"github.com/hashicorp/raft"
	raftboltdb "github.com/hashicorp/raft-boltdb/v2"
	wal "github.com/hashicorp/raft-wal"
	"github.com/hashicorp/raft-wal/metadb"
	"github.com/hashicorp/raft-wal/segment"
	"github.com/hashicorp/raft-wal/types"
	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
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
	if err := checkBolt(path); err != nil {
		return nil, opened(path, err)
	}
	var db *raftboltdb.BoltStore
	err := safely(func() (err error) {
		db, err = raftboltdb.New(raftboltdb.Options{
			Path: path,
			BoltOptions: &bbolt.Options{
				Timeout:        boltLockWait,
				NoFreelistSync: true,
				FreelistType:   bbolt.FreelistMapType,
			},
		})
		return err
	})
	if err != nil {
		return nil, opened(path, err)
	}
	if err := errors.Join(db.Sync(), o.hooks.syncDir(o.Dir)); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), db.Close())
	}
	return db, nil
}

// rotten are the errors that speak about what is in the libraries' files, or
// what of them is missing. Those libraries put the system's errors into words
// here and there, so every other error may be one.
var rotten = []error{
	errRotten, errPanic, types.ErrCorrupt, bolterrors.ErrInvalid, bolterrors.ErrVersionMismatch,
	bolterrors.ErrChecksum, bolterrors.ErrIncompatibleValue, fs.ErrNotExist, fs.ErrExist, io.EOF, io.ErrUnexpectedEOF, io.ErrShortBuffer,
}

// opened says why a library could not open what it wrote: ErrForgotten if its
// bytes make no sense or are gone, else what the system says.
func opened(what string, err error) error {
	if slices.ContainsFunc(rotten, func(known error) bool { return errors.Is(err, known) }) {
		return fmt.Errorf("%w: open %s: %w", ErrForgotten, what, err)
	}
	return fmt.Errorf("open %s: %w", what, err)
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
	var log *wal.WAL
	err := safely(func() (err error) {
		log, err = wal.Open(dir,
			wal.WithMetaStore(meta),
			wal.WithSegmentFiler(filer),
			wal.WithSegmentSize(o.SegmentBytes),
			wal.WithLogger(bridge(o.Logger, "wal")))
		return err
	})
	if err != nil {
		return backend{}, errors.Join(opened("log", err), files.closeAll(), meta.Close())
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
