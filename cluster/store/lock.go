package store

import (
	"fmt"
	"path/filepath"

	"github.com/gofrs/flock"
)

const lockFile = "LOCK"

// DirLock is a held lock on a folder. The kernel gives it up when the process
// ends, however it ends.
type DirLock struct {
	lock *flock.Flock
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

// Close gives the lock up. The lock file stays: removing it would let two
// holders have different files of the same name.
func (l *DirLock) Close() error { return l.lock.Close() }
