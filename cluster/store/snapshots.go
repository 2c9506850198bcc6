package store

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"

	"github.com/hashicorp/raft"
)

const (
	snapshotsFolder = "snapshots" // as raft.FileSnapshotStore names it
	snapshotTmp     = ".tmp"
	snapshotState   = "state.bin"

	// flushEvery bounds the unwritten bytes of a snapshot under way. Left to
	// its end they would all go to the disk at once, and every fsync of the
	// log would wait for them: long enough to lose the leadership.
	flushEvery = 4 << 20
)

// snapshots is raft.FileSnapshotStore with the missing folder fsyncs. That
// store fsyncs both files of a snapshot and, after the rename, the folder of
// all snapshots, but never the snapshot's own folder: after a power loss it
// may be there and be empty. Both files get their names in Create and keep
// them, so fsyncing the new folder right then is enough.
type snapshots struct {
	*raft.FileSnapshotStore
	dir     string
	syncDir func(string) error
	poison  *poison
	note    func(index uint64) // told of each snapshot that became durable
	last    atomic.Uint64      // highest index of a verified or durable snapshot
}

func openSnapshots(o Options, p *poison) (*snapshots, error) {
	files, err := raft.NewFileSnapshotStoreWithLogger(o.Dir, o.SnapshotsRetained, bridge(o.Logger, "snapshot"))
	if err != nil {
		return nil, err
	}
	if err := o.hooks.syncDir(o.Dir); err != nil {
		return nil, err
	}
	dir := filepath.Join(o.Dir, snapshotsFolder)
	return &snapshots{FileSnapshotStore: files, dir: dir, syncDir: o.hooks.syncDir, poison: p, note: func(uint64) {}}, nil
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
		logger.Error("snapshot is bad, an older one must do", "id", meta.ID, "index", meta.Index, "error", err)
	}
	return nil
}

// sweep removes what an interrupted snapshot left behind.
func (s *snapshots) sweep() error {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.IsDir() && strings.HasSuffix(e.Name(), snapshotTmp) {
			if err := os.RemoveAll(filepath.Join(s.dir, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// Create implements raft.SnapshotStore.
func (s *snapshots) Create(version raft.SnapshotVersion, index, term uint64, conf raft.Configuration,
	confIndex uint64, trans raft.Transport) (raft.SnapshotSink, error) {
	if err := s.poison.err(); err != nil {
		return nil, err
	}
	sink, err := s.FileSnapshotStore.Create(version, index, term, conf, confIndex, trans)
	if err != nil {
		return nil, s.failed("create snapshot", err)
	}
	folder := filepath.Join(s.dir, sink.ID()+snapshotTmp)
	for _, dir := range []string{folder, s.dir} {
		if err := s.syncDir(dir); err != nil {
			return nil, errors.Join(s.failed("create snapshot", err), sink.Cancel())
		}
	}
	state, err := os.OpenFile(filepath.Join(folder, snapshotState), os.O_WRONLY, 0)
	if err != nil {
		return nil, errors.Join(s.failed("create snapshot", err), sink.Cancel())
	}
	return &snapshotSink{SnapshotSink: sink, store: s, index: index, state: state}, nil
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
	state *os.File // the file that the sink writes, to flush it on the way
	dirty int      // bytes written since the last flush
	over  bool
}

func (k *snapshotSink) Write(p []byte) (int, error) {
	n, err := k.SnapshotSink.Write(p)
	if k.dirty += n; err == nil && k.dirty >= flushEvery {
		k.dirty = 0
		err = fdatasync(k.state)
	}
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
	if err := errors.Join(k.store.poison.err(), k.state.Close()); err != nil {
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
	if err := errors.Join(k.state.Close(), k.SnapshotSink.Cancel()); err != nil {
		return k.store.failed("cancel snapshot", err)
	}
	return nil
}
