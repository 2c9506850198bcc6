//go:build !wasip1

package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

const lockFile = "LOCK"

// DirLock is a held lock on a folder. The kernel gives it up when the process
// ends, however it ends.
type DirLock struct {
	lock *flock.Flock // nil: there is nothing to hold
}

// Lock takes the lock of a folder, which it creates if need be. It does not
// wait: ErrLocked names the folder that another process, or another Store of
// this one, holds.
func Lock(dir string) (*DirLock, error) {
	if err := makeDir(dir, syncDir); err != nil {
		return nil, err
	}
	l := flock.New(filepath.Join(dir, lockFile))
	got, err := l.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", dir, err)
	}
	if !got {
		return nil, fmt.Errorf("%w: %s is in use", ErrLocked, dir)
	}
	return &DirLock{l}, nil
}

// LockShared keeps everybody from taking the lock of a folder, but not others
// who share it. It makes no file: a folder that nobody ever locked is in
// nobody's use.
func LockShared(dir string) (*DirLock, error) {
	if info, err := os.Stat(dir); err != nil {
		return nil, err
	} else if !info.IsDir() {
		return nil, fmt.Errorf("%s is not a folder", dir)
	}
	l := flock.New(filepath.Join(dir, lockFile), flock.SetFlag(os.O_RDONLY))
	got, err := l.TryRLock()
	if errors.Is(err, fs.ErrNotExist) {
		return &DirLock{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", dir, err)
	}
	if !got {
		return nil, fmt.Errorf("%w: %s is in use", ErrLocked, dir)
	}
	return &DirLock{l}, nil
}

// Close gives the lock up. The lock file stays: removing it would let two
// holders have different files of the same name.
func (l *DirLock) Close() error {
	if l.lock == nil {
		return nil
	}
	return l.lock.Close()
}
