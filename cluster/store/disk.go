package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/hashicorp/raft"
)

// Disk is what a Store keeps its promises on: a folder with the libraries that
// write there, or a simulated one. It stands below every wrapper of this
// package. Its errors from the system are *fs.PathError or syscall.Errno; all
// others are about bytes that make no sense.
type Disk interface {
	// Settle makes durable whatever an earlier process wrote, before anybody
	// reads it.
	Settle() error
	// Found names something that is there besides the watermark, "" if nothing is.
	Found() (string, error)

	// OpenMark opens the watermark's file; fs.ErrNotExist if there is none.
	OpenMark() (MarkFile, error)
	// MakeMark makes that file with a content. Only a complete and durable one
	// ever gets its name.
	MakeMark(content []byte) (MarkFile, error)

	// OpenStable opens or makes the store of term and vote. What was never set
	// is ErrNotFound.
	OpenStable() (StableFile, error)
	// OpenLog opens or makes the log. One that is beyond repair is ErrForgotten.
	OpenLog(background Failures) (LogFile, error)
	// OpenSnapshots opens or makes the snapshots. A snapshot is durable once
	// its sink was closed without an error.
	OpenSnapshots() (raft.SnapshotStore, error)
	// Sweep removes what an interrupted snapshot left behind.
	Sweep() error
}

// MarkFile is the open file of the watermark.
type MarkFile interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	Sync() error // of the bytes: the file never grows
}

// StableFile is an open store of term and vote.
type StableFile interface {
	raft.StableStore
	io.Closer
}

// LogFile is an open log. Entries are durable when StoreLogs returns.
type LogFile interface {
	raft.LogStore
	io.Closer
}

// Failures is where a log tells of what fails in its background, and learns
// that the store failed elsewhere.
type Failures interface {
	Fail(error)
	Done() <-chan struct{} // closed at the first failure
	Err() error            // nil before
}

// OpenOn opens or creates the stores on a disk that is the caller's alone, and
// verifies them, as Open does in a folder. What Options say about a folder and
// its log store does not count.
func OpenOn(disk Disk, opts Options) (*Store, error) {
	opts.Dir = "."
	opts = opts.withDefaults()
	if err := opts.Validate(); err != nil {
		return nil, err
	}
	s, err := openOn(disk, nobody{}, opts)
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	return s, nil
}

// nobody holds no lock.
type nobody struct{}

func (nobody) Close() error { return nil }

// openOn takes the lock over.
func openOn(disk Disk, lock io.Closer, opts Options) (*Store, error) {
	s := &Store{opts: opts, poison: newPoison(opts), lock: lock, disk: disk}
	err := s.open()
	if errors.Is(err, errPanic) && !errors.Is(err, ErrForgotten) {
		err = fmt.Errorf("%w: %w", ErrForgotten, err)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	s.poison.armed.Store(true)
	if err := s.poison.err(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// openMarkFile opens the watermark, or makes the first one before anything that
// it could have forgotten exists.
func (s *Store) openMarkFile() (*slots, mark, error) {
	f, err := s.disk.OpenMark()
	if err == nil {
		return readSlots(f)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, mark{}, err
	}
	found, err := s.disk.Found()
	if err != nil {
		return nil, mark{}, err
	}
	if found != "" {
		return nil, mark{}, fmt.Errorf("%w: there is %s but no watermark", ErrForgotten, found)
	}
	if s.opts.Existing {
		return nil, mark{}, fmt.Errorf("%w: all that was in the folder is gone", ErrForgotten)
	}
	if f, err = s.disk.MakeMark(firstSlots()); err != nil {
		return nil, mark{}, err
	}
	return &slots{f: f, seq: firstSeq}, mark{}, nil
}
