package store

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync/atomic"

	"github.com/hashicorp/raft"
)

// snapshots notes which snapshot is the last durable one, keeps those back that
// cannot be read, and tells the poison of failures.
type snapshots struct {
	raft.SnapshotStore
	bad    map[string]bool // ids of snapshots with a wrong checksum; Open's, then only read
	poison *poison
	note   func(index uint64) // told of each snapshot that became durable
	last   atomic.Uint64      // highest index of a verified or durable snapshot
}

func openSnapshots(disk Disk, p *poison) (*snapshots, error) {
	inner, err := disk.OpenSnapshots()
	if err != nil {
		return nil, err
	}
	return &snapshots{SnapshotStore: inner, bad: map[string]bool{}, poison: p, note: func(uint64) {}}, nil
}

func (s *snapshots) lastIndex() uint64 { return s.last.Load() }

func (s *snapshots) noted(index uint64) {
	for {
		old := s.last.Load()
		if index <= old || s.last.CompareAndSwap(old, index) {
			break
		}
	}
	s.note(index)
}

// List implements raft.SnapshotStore without the bad ones. raft does not start
// from the log alone, however complete, as long as it is told of a snapshot.
func (s *snapshots) List() ([]*raft.SnapshotMeta, error) {
	metas, err := s.SnapshotStore.List()
	return slices.DeleteFunc(metas, func(m *raft.SnapshotMeta) bool { return s.bad[m.ID] }), err
}

// verify reads the newest snapshot through, or the next older one if its
// checksum is wrong, as raft will at start. A failing disk is an error and
// not a bad snapshot.
func (s *snapshots) verify(logger *slog.Logger) error {
	metas, err := s.List()
	if err != nil {
		return err
	}
	for _, meta := range metas {
		_, body, err := s.Open(meta.ID)
		if err == nil {
			s.last.Store(meta.Index)
			return body.Close()
		}
		if isIO(err) && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("verify snapshot %s: %w", meta.ID, err)
		}
		s.bad[meta.ID] = true
		logger.Error("snapshot is bad, an older one or the log must do", "id", meta.ID, "index", meta.Index, "error", err)
	}
	return nil
}

// Create implements raft.SnapshotStore.
func (s *snapshots) Create(version raft.SnapshotVersion, index, term uint64, conf raft.Configuration,
	confIndex uint64, trans raft.Transport) (raft.SnapshotSink, error) {
	if err := s.poison.err(); err != nil {
		return nil, err
	}
	sink, err := s.SnapshotStore.Create(version, index, term, conf, confIndex, trans)
	if err != nil {
		return nil, s.failed("create snapshot", err)
	}
	return &snapshotSink{SnapshotSink: sink, store: s, index: index}, nil
}

// failed poisons the store if the system refused.
func (s *snapshots) failed(op string, err error) error {
	err = fmt.Errorf("%s: %w", op, err)
	if isIO(err) {
		s.poison.fatal(err)
	}
	return err
}

type snapshotSink struct {
	raft.SnapshotSink
	store *snapshots
	index uint64
	over  bool
}

func (k *snapshotSink) Write(p []byte) (int, error) {
	n, err := k.SnapshotSink.Write(p)
	if err != nil {
		err = k.store.failed("write snapshot", err)
	}
	return n, err
}

// Close commits the snapshot. From then on its index counts as an end of the
// log.
func (k *snapshotSink) Close() error {
	if k.over {
		return nil
	}
	k.over = true
	if err := k.store.poison.err(); err != nil {
		return errors.Join(err, k.SnapshotSink.Cancel())
	}
	if err := k.SnapshotSink.Close(); err != nil {
		return k.store.failed("commit snapshot", err)
	}
	k.store.noted(k.index)
	return nil
}

func (k *snapshotSink) Cancel() error {
	if k.over {
		return nil
	}
	k.over = true
	if err := k.SnapshotSink.Cancel(); err != nil {
		return k.store.failed("cancel snapshot", err)
	}
	return nil
}
