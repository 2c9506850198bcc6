//go:build !wasip1

package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/hashicorp/raft"
	raftboltdb "github.com/hashicorp/raft-boltdb/v2"
)

// Open opens or creates the stores in opts.Dir and verifies them. It returns
// ErrForgotten if this replica must not vote any more, ErrLocked if the folder
// is in use, and the system's own error if a file cannot be read; only the
// first asks for a rebuild.
func Open(opts Options) (*Store, error) {
	opts = opts.withDefaults()
	if err := opts.Validate(); err != nil {
		return nil, err
	}
	lock, err := Lock(opts.Dir)
	if err != nil {
		return nil, err
	}
	// A folder behind a symbolic link would not be walked.
	if opts.Dir, err = filepath.EvalSymlinks(opts.Dir); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	s, err := openOn(folderDisk{opts}, lock, opts)
	if err != nil {
		return nil, fmt.Errorf("open store %s: %w", opts.Dir, err)
	}
	return s, nil
}

// folderDisk is a group's folder.
type folderDisk struct{ o Options }

func (d folderDisk) path(name string) string { return filepath.Join(d.o.Dir, name) }

// Settle implements Disk.
func (d folderDisk) Settle() error {
	if err := checkLogStore(d.o); err != nil {
		return err
	}
	return syncTree(d.o.Dir, d.o.hooks.syncDir)
}

// Found implements Disk.
func (d folderDisk) Found() (string, error) {
	for _, name := range []string{stableFile, boltFile, walFolder, snapshotsFolder} {
		found, err := exists(d.path(name))
		if err != nil {
			return "", err
		}
		if found {
			return name, nil
		}
	}
	return "", nil
}

// OpenMark implements Disk.
func (d folderDisk) OpenMark() (MarkFile, error) { return openMark(d.path(watermarkFile)) }

// MakeMark implements Disk.
func (d folderDisk) MakeMark(content []byte) (MarkFile, error) {
	return makeMark(d.path(watermarkFile), content, d.o.hooks.syncDir)
}

// OpenStable implements Disk.
func (d folderDisk) OpenStable() (StableFile, error) {
	db, err := openBolt(d.path(stableFile), d.o)
	if err != nil {
		return nil, err
	}
	return boltStable{db}, nil
}

// OpenLog implements Disk.
func (d folderDisk) OpenLog(background Failures) (LogFile, error) {
	b, err := openBackend(d.o, background)
	if err != nil {
		return nil, err
	}
	return b, nil
}

// OpenSnapshots implements Disk.
func (d folderDisk) OpenSnapshots() (raft.SnapshotStore, error) { return openFolderSnapshots(d.o) }

// Sweep implements Disk.
func (d folderDisk) Sweep() error {
	dir := d.path(snapshotsFolder)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.IsDir() && strings.HasSuffix(e.Name(), snapshotTmp) {
			if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// boltStable has this package's error for what was never set.
type boltStable struct{ *raftboltdb.BoltStore }

func (s boltStable) Get(key []byte) ([]byte, error) {
	val, err := s.BoltStore.Get(key)
	return val, notFound(err)
}

func (s boltStable) GetUint64(key []byte) (uint64, error) {
	val, err := s.BoltStore.GetUint64(key)
	return val, notFound(err)
}

func notFound(err error) error {
	if errors.Is(err, raftboltdb.ErrKeyNotFound) {
		return ErrNotFound
	}
	return err
}

// markFile syncs without the file's times.
type markFile struct{ *os.File }

func (f markFile) Sync() error { return fdatasync(f.File) }

func openMark(path string) (MarkFile, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	return markFile{f}, nil
}

func makeMark(path string, content []byte, sync func(string) error) (MarkFile, error) {
	tmp := path + ".tmp"
	if err := os.RemoveAll(tmp); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(tmp, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o640)
	if err != nil {
		return nil, err
	}
	err = func() error {
		if _, err := f.Write(content); err != nil {
			return err
		}
		if err := f.Sync(); err != nil {
			return err
		}
		if err := os.Rename(tmp, path); err != nil {
			return err
		}
		return sync(filepath.Dir(path))
	}()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return markFile{f}, nil
}
