package store

import (
	"errors"
	"io"
	"sync"

	"github.com/hashicorp/raft"
)

const watermarkFile = "watermark"

// Store holds the durable stores of one Raft group. Its methods may be called
// from any goroutine; Close once raft has shut down.
type Store struct {
	opts   Options
	poison *poison
	lock   io.Closer
	disk   Disk

	mark       *watermark
	stable     StableFile
	vote       *voteStore
	voteGuards [2]*guard
	snaps      *snapshots
	backend    LogFile
	logGuards  [2]*guard
	log        *watermarkLog

	closeOnce sync.Once
	closeErr  error
}

func (s *Store) open() error {
	if err := s.disk.Settle(); err != nil {
		return err
	}
	promised, err := s.openMark()
	if err != nil {
		return err
	}
	if err := s.openVote(promised); err != nil {
		return err
	}
	if s.snaps, err = openSnapshots(s.disk, s.poison); err != nil {
		return err
	}
	if err := s.snaps.verify(s.opts.Logger); err != nil {
		return err
	}
	if err := s.openLog(promised); err != nil {
		return err
	}
	return s.disk.Sweep()
}

func (s *Store) openMark() (mark, error) {
	file, promised, err := s.openMarkFile()
	if err != nil {
		return mark{}, err
	}
	s.mark = newWatermark(file, promised, newWriteGuard(s.poison, s.opts.Deadline))
	return promised, nil
}

func (s *Store) openVote(promised mark) error {
	var err error
	if s.stable, err = s.disk.OpenStable(); err != nil {
		return err
	}
	s.voteGuards = [2]*guard{newReadGuard(s.poison, s.opts.Deadline), newWriteGuard(s.poison, s.opts.Deadline)}
	guarded := &deadlineStable{next: s.opts.hooks.wrapStable(s.stable), reads: s.voteGuards[0], writes: s.voteGuards[1]}
	if s.vote, err = newVoteStore(guarded, s.poison, s.mark); err != nil {
		return err
	}
	s.vote.termHold = s.opts.hooks.termHold
	if err := verifyVote(s.vote.rec, promised); err != nil {
		return err
	}
	s.mark.promise(s.vote.rec.term, s.vote.rec.voteTerm)
	return nil
}

func (s *Store) openLog(promised mark) error {
	var err error
	if s.backend, err = s.disk.OpenLog(s.poison); err != nil {
		return err
	}
	s.logGuards = [2]*guard{newReadGuard(s.poison, s.opts.Deadline), newWriteGuard(s.poison, s.opts.Deadline)}
	var log raft.LogStore = &deadlineLog{next: s.opts.hooks.wrapLog(s.backend), reads: s.logGuards[0], writes: s.logGuards[1]}
	if s.opts.LogStore == LogStoreBolt {
		log = &slicedLog{log}
	}
	log = &checksumLog{next: log, poison: s.poison}
	s.log = &watermarkLog{next: log, mark: s.mark, snapshots: s.snaps}
	end, err := verify(s.log, s.snaps.lastIndex(), promised, s.opts.Logger)
	if err != nil {
		return err
	}
	s.snaps.note = s.mark.raise
	s.mark.raise(end)
	return nil
}

// Log is the log for raft. It is a raft.MonotonicLogStore if the library is.
func (s *Store) Log() raft.LogStore { return s.log }

// Stable is the store of term and vote for raft.
func (s *Store) Stable() raft.StableStore { return s.vote }

// Snapshots is the snapshot store for raft.
func (s *Store) Snapshots() raft.SnapshotStore { return s.snaps }

// Close closes everything that Open opened. A library with a call still inside
// it is left open: its files, and the folder's lock, stay held until the
// process ends, and Close returns ErrHung.
func (s *Store) Close() error {
	s.closeOnce.Do(func() { s.closeErr = s.close() })
	return s.closeErr
}

func (s *Store) close() error {
	hung := false
	end := func(guards []*guard, then func() error) error {
		var errs []error
		for _, g := range guards {
			if g != nil {
				errs = append(errs, g.close())
			}
		}
		if err := errors.Join(errs...); err != nil {
			hung = true
			return err
		}
		return then()
	}
	var errs []error
	if s.backend != nil {
		errs = append(errs, end(s.logGuards[:], s.backend.Close))
	}
	if s.stable != nil {
		errs = append(errs, end(s.voteGuards[:], s.stable.Close))
	}
	if s.mark != nil {
		err := s.mark.close()
		hung = hung || errors.Is(err, ErrHung)
		errs = append(errs, err)
	}
	if !hung {
		errs = append(errs, s.lock.Close())
	}
	return errors.Join(errs...)
}
