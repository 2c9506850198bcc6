//go:build !wasip1

package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	wal "github.com/hashicorp/raft-wal"
	"github.com/hashicorp/raft-wal/metadb"
	"github.com/hashicorp/raft-wal/segment"
	"github.com/hashicorp/raft-wal/types"
	"go.etcd.io/bbolt"
)

// raft-wal has no way to be opened for reading only: it finishes what a crash
// left undone. So it is given a file system and a list of segments that keep
// what it writes to themselves.

// errReadOnly is what a write gets; raft-wal makes none while it only reads.
var errReadOnly = errors.New("opened for reading only")

func openWALForReading(dir string, logger *slog.Logger) (backend, error) {
	files := new(readFS)
	log, err := wal.Open(dir,
		wal.WithMetaStore(new(readMeta)),
		wal.WithSegmentFiler(&walFiler{SegmentFiler: segment.NewFiler(dir, files)}),
		wal.WithLogger(bridge(logger, "wal")))
	if err != nil {
		err = errors.Join(err, closeAll(files.open))
		if undecodable(err) {
			err = fmt.Errorf("%w: %w", ErrCorrupt, err)
		}
		return backend{}, err
	}
	// raft-wal closes the segments that it has opened.
	return backend{log, log.Close}, nil
}

// readFS is a types.VFS over files that are opened for reading only. It is
// used by one goroutine while the log is opened.
type readFS struct {
	open []io.Closer
}

func (r *readFS) ListDir(dir string) ([]string, error) {
	found, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range found {
		if !e.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// Create stands for a segment that a crash left unmade: an empty one.
func (r *readFS) Create(string, string, uint64) (types.WritableFile, error) { return noFile{}, nil }

// Delete leaves segments alone that are in no list any more.
func (r *readFS) Delete(string, string) error { return nil }

func (r *readFS) OpenReader(dir, name string) (types.ReadableFile, error) {
	return r.OpenWriter(dir, name)
}

func (r *readFS) OpenWriter(dir, name string) (types.WritableFile, error) {
	f, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		return nil, err
	}
	r.open = append(r.open, f)
	return readFile{f}, nil
}

type readFile struct{ *os.File }

func (readFile) WriteAt([]byte, int64) (int, error) { return 0, errReadOnly }
func (readFile) Sync() error                        { return errReadOnly }

// noFile is a file without bytes.
type noFile struct{}

func (noFile) ReadAt([]byte, int64) (int, error)  { return 0, io.EOF }
func (noFile) WriteAt([]byte, int64) (int, error) { return 0, errReadOnly }
func (noFile) Sync() error                        { return errReadOnly }
func (noFile) Close() error                       { return nil }

// readMeta is the list of segments, read once.
type readMeta struct{ noStable }

// Load implements types.MetaStore.
func (*readMeta) Load(dir string) (types.PersistentState, error) {
	var state types.PersistentState
	path := filepath.Join(dir, metadb.FileName)
	db, err := openList(path, &bbolt.Options{Timeout: boltLockWait, ReadOnly: true})
	if errors.Is(err, fs.ErrNotExist) {
		return state, nil // killed before the list was made
	}
	if err != nil {
		return state, err
	}
	state, err = readList(db)
	return state, errors.Join(err, db.Close())
}

// CommitState implements types.MetaStore: raft-wal keeps the state itself.
func (*readMeta) CommitState(types.PersistentState) error { return nil }

// Close implements types.MetaStore.
func (*readMeta) Close() error { return nil }
