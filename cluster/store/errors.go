package store

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
)

var (
	// ErrCorrupt marks an entry whose bytes are not those that were stored.
	// It is always carried by a *CorruptError, which names the index.
	ErrCorrupt = errors.New("log entry is corrupt")

	// ErrForgotten means that the folder no longer holds what this replica
	// once promised. It must not vote: move its state aside with Reset and
	// let it join again under a new server id.
	ErrForgotten = errors.New("replica has forgotten a promise")

	// ErrHung is returned by the call that exceeded the deadline. Its write
	// may still land, so the store is poisoned.
	ErrHung = errors.New("store call exceeded its deadline")

	// ErrPoisoned is returned by every call after the first failure or hang.
	ErrPoisoned = errors.New("store is poisoned by an earlier failure")

	// ErrClosed is returned by every call after Close.
	ErrClosed = errors.New("store is closed")

	// ErrNotFound is what a stable store says of a key that was never set.
	// raft knows it by its text.
	ErrNotFound = errors.New("not found")

	// ErrLocked means that somebody else holds the folder.
	ErrLocked = errors.New("folder is locked")

	// ErrLogStore means that the folder holds the log of another log store
	// than the one asked for.
	ErrLogStore = errors.New("folder was written by another log store")

	// ErrVoteOrder means that a vote's candidate came without its term.
	ErrVoteOrder = errors.New("candidate of a vote without its term")

	// ErrVoteConflict means that a write would take back a durable term or
	// vote: a lower term, or a second vote in one term.
	ErrVoteConflict = errors.New("write contradicts the durable term or vote")
)

// CorruptError names the entry that cannot be trusted. errors.Is(err,
// ErrCorrupt) holds.
type CorruptError struct {
	Index  uint64
	Detail string
}

func (e *CorruptError) Error() string {
	return fmt.Sprintf("log entry %d is corrupt: %s", e.Index, e.Detail)
}

// Unwrap makes errors.Is find ErrCorrupt.
func (e *CorruptError) Unwrap() error { return ErrCorrupt }

// errFault is a memory fault inside a mapped file: the kernel could not read
// the page. It says nothing about the bytes on the disk.
var errFault = errors.New("fault while reading a mapped file")

// isIO reports whether the operating system refused, as opposed to bytes that
// were read but make no sense. A transient I/O error must never be taken for
// corruption: the answer to that is to rebuild, the answer to this to restart.
func isIO(err error) bool {
	var path *fs.PathError
	var errno syscall.Errno
	return errors.As(err, &path) || errors.As(err, &errno) || errors.Is(err, errFault)
}
