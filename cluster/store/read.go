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

	"github.com/hashicorp/raft"
	raftboltdb "github.com/hashicorp/raft-boltdb/v2"
	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// ErrNoLog means that the folder holds no group's log.
var ErrNoLog = errors.New("folder holds no log")

// ReadLog calls f with the entries from to to of the log of a group's folder
// (to 0: up to the end) and changes nothing in it, whatever it finds: it is for
// tools that look at a replica that does not run. It repairs nothing either,
// so a torn end is the end, as Open would judge it. f owns what it gets, and
// its error ends the reading.
//
// ReadLog returns ErrLocked if somebody has the folder open, ErrNoLog if there
// is no log, and ErrCorrupt, after everything else was read, if an entry that
// was once durable cannot be trusted.
func ReadLog(dir string, from, to uint64, f func(*raft.Log) error) error {
	lock, err := LockShared(dir)
	if err != nil {
		return err
	}
	err = readLog(dir, from, to, f)
	return errors.Join(err, lock.Close())
}

func readLog(dir string, from, to uint64, f func(*raft.Log) error) error {
	promised, err := readMark(filepath.Join(dir, watermarkFile))
	if err != nil {
		return fmt.Errorf("read watermark: %w", err)
	}
	var b backend
	err = safely(func() error {
		b, err = openForReading(dir)
		return err
	})
	if err != nil {
		return fmt.Errorf("read the log in %s: %w", dir, err)
	}
	checked := &checksumLog{next: b, poison: newPoison(Options{}.withDefaults())}
	err = readEntries(checked, max(from, 1), to, promised.end, f)
	return errors.Join(err, safely(b.close))
}

// readEntries tells torn from rotten as verifyEntries does.
func readEntries(log raft.LogStore, from, to, promised uint64, f func(*raft.Log) error) error {
	var first, last uint64
	err := safely(func() (err error) {
		if first, err = log.FirstIndex(); err == nil {
			last, err = log.LastIndex()
		}
		return err
	})
	if err != nil || last == 0 {
		return err
	}
	if to == 0 || to > last {
		to = last
	}
	var rotten error
	for i := max(first, from); i <= to; i++ {
		entry := new(raft.Log)
		err := safely(func() error { return log.GetLog(i, entry) })
		switch {
		case err == nil:
			if err := f(entry); err != nil {
				return err
			}
		case errors.Is(err, raft.ErrLogNotFound): // a hole left by an installed snapshot
		case !errors.Is(err, ErrCorrupt):
			return fmt.Errorf("read entry %d: %w", i, err)
		case i > promised:
			return rotten
		case rotten == nil:
			rotten = fmt.Errorf("it was once durable up to %d: %w", promised, err)
		}
	}
	return rotten
}

// openForReading opens whichever library's log is there.
func openForReading(dir string) (backend, error) {
	if info, err := os.Stat(filepath.Join(dir, boltFile)); err == nil {
		if info.Size() == 0 { // killed while it was made
			return backend{new(raft.InmemStore), func() error { return nil }}, nil
		}
		return openBoltForReading(filepath.Join(dir, boltFile))
	} else if !errors.Is(err, fs.ErrNotExist) {
		return backend{}, err
	}
	found, err := exists(filepath.Join(dir, walFolder))
	if err != nil {
		return backend{}, err
	}
	if !found {
		return backend{}, ErrNoLog
	}
	return openWALForReading(filepath.Join(dir, walFolder), slog.New(slog.DiscardHandler))
}

func openBoltForReading(path string) (backend, error) {
	if err := checkBolt(path); err != nil {
		if errors.Is(err, errRotten) {
			err = fmt.Errorf("%w: %w", ErrCorrupt, err)
		}
		return backend{}, err
	}
	db, err := raftboltdb.New(raftboltdb.Options{
		Path:        path,
		BoltOptions: &bbolt.Options{Timeout: boltLockWait, ReadOnly: true},
	})
	if errors.Is(err, bolterrors.ErrTimeout) {
		return backend{}, fmt.Errorf("%w: %s is in use", ErrLocked, path)
	}
	if err != nil {
		return backend{}, fmt.Errorf("open %s: %w", path, err)
	}
	return backend{db, db.Close}, nil
}

// readMark is the watermark as it is on the disk; nothing is promised if there
// is none, or none that can be believed.
func readMark(path string) (mark, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return mark{}, nil
	}
	if err != nil {
		return mark{}, err
	}
	m, err := (&slots{f: f}).read()
	if errors.Is(err, ErrForgotten) {
		err = nil
	}
	return m, errors.Join(err, f.Close())
}

// closeAll closes what is open, in order.
func closeAll(open []io.Closer) error {
	var errs []error
	for _, c := range open {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}
