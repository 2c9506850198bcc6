package store

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"
)

// syncs records which folders are fsynced.
type syncs struct {
	mu   sync.Mutex
	dirs []string
	fail func(dir string) error
}

func (r *syncs) hook(dir string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.dirs = append(r.dirs, filepath.Base(dir))
	if r.fail != nil {
		if err := r.fail(dir); err != nil {
			return err
		}
	}
	return syncDir(dir)
}

func (r *syncs) take() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	defer func() { r.dirs = nil }()
	return slices.Clone(r.dirs)
}

func TestFoldersAreSynced(t *testing.T) {
	both(t, func(t *testing.T, kind string) {
		r := &syncs{}
		parent := t.TempDir()
		o := options(filepath.Join(parent, "data", "group"), kind)
		o.SegmentBytes = segmentBytesMin
		o.hooks.syncDir = r.hook
		s := open(t, o)
		opened := r.take()
		require.Contains(t, opened, "group", "for raft.db and watermark")
		if kind == LogStoreWAL {
			require.Contains(t, opened, walFolder, "for the first segment")
		}
		require.NoError(t, s.Log().StoreLog(large(1)))
		r.take()
		for i := uint64(2); i < 12; i++ {
			require.NoError(t, s.Log().StoreLog(large(i)))
		}
		if kind == LogStoreWAL {
			require.Contains(t, r.take(), walFolder, "for the segments made in the background")
		}

		_, trans := raft.NewInmemTransport("")
		sink, err := s.Snapshots().Create(1, 9, 3, raft.Configuration{}, 1, trans)
		require.NoError(t, err)
		require.Equal(t, []string{sink.ID() + snapshotTmp, snapshotsFolder}, r.take())
		require.NoError(t, sink.Close())
	})
}

func TestFailedFolderSyncPoisons(t *testing.T) {
	both(t, func(t *testing.T, kind string) {
		r := &syncs{}
		o := options(t.TempDir(), kind)
		o.hooks.syncDir = r.hook
		var fatal error
		o.OnFatal = func(err error) { fatal = err }
		s := open(t, o)
		r.mu.Lock()
		r.fail = func(dir string) error { return &os.PathError{Op: "fsync", Path: dir, Err: syscall.EIO} }
		r.mu.Unlock()
		_, trans := raft.NewInmemTransport("")
		_, err := s.Snapshots().Create(1, 9, 3, raft.Configuration{}, 1, trans)
		require.ErrorIs(t, err, syscall.EIO)
		require.ErrorIs(t, fatal, syscall.EIO)
		requirePoisoned(t, s)
	})
}

func TestSnapshotCountsAsEndOfLog(t *testing.T) {
	both(t, func(t *testing.T, kind string) {
		o := options(t.TempDir(), kind)
		s := open(t, o)
		snapshot(t, s, 70, 3)
		eventually(t, "the watermark is written", func() bool { return s.Watermark() == 70 })
		require.NoError(t, s.Close())
		s = open(t, o)
		metas, err := s.Snapshots().List()
		require.NoError(t, err)
		_, body, err := s.Snapshots().Open(metas[0].ID)
		require.NoError(t, err)
		raw, err := io.ReadAll(body)
		require.NoError(t, err)
		require.NoError(t, body.Close())
		require.Equal(t, "state", string(raw))
		require.NoError(t, s.Close())

		path := filepath.Join(o.Dir, snapshotsFolder, metas[0].ID, "state.bin")
		require.NoError(t, os.WriteFile(path, []byte("stale"), 0o600))
		_, err = Open(o)
		require.ErrorIs(t, err, ErrForgotten, "a snapshot that is not verified counts for nothing")
	})
}

func TestOlderSnapshotDoesIfTheLogJoinsIt(t *testing.T) {
	both(t, func(t *testing.T, kind string) {
		o := options(t.TempDir(), kind)
		s := open(t, o)
		fill(t, s, 1, 20)
		snapshot(t, s, 10, 3)
		require.NoError(t, s.Log().DeleteRange(1, 8))
		snapshot(t, s, 15, 3)
		require.NoError(t, s.Close())
		metas, err := s.Snapshots().List()
		require.NoError(t, err)
		require.EqualValues(t, 15, metas[0].Index)
		path := filepath.Join(o.Dir, snapshotsFolder, metas[0].ID, "state.bin")
		require.NoError(t, os.WriteFile(path, []byte("stale"), 0o600))

		s = open(t, o) // 10, then 9 to 20
		require.NoError(t, s.Log().DeleteRange(9, 12))
		require.NoError(t, s.Close())
		_, err = Open(o)
		require.ErrorIs(t, err, ErrForgotten, "11 and 12 are nowhere")
	})
}

// raft refuses to start if it is told of snapshots of which it can restore
// none, although the log has everything.
func TestWholeLogDoesIfNoSnapshotIsGood(t *testing.T) {
	both(t, func(t *testing.T, kind string) {
		o := options(t.TempDir(), kind)
		s := open(t, o)
		fill(t, s, 1, 20)
		snapshot(t, s, 10, 3)
		require.NoError(t, s.Close())
		states, err := filepath.Glob(filepath.Join(o.Dir, snapshotsFolder, "*", snapshotState))
		require.NoError(t, err)
		require.Len(t, states, 1)
		require.NoError(t, os.WriteFile(states[0], []byte("stale"), 0o600))

		s = open(t, o)
		metas, err := s.Snapshots().List()
		require.NoError(t, err)
		require.Empty(t, metas)
		requireEntries(t, s.Log(), 1, 20)
		snapshot(t, s, 15, 3)
		metas, err = s.Snapshots().List()
		require.NoError(t, err)
		require.Len(t, metas, 1)
		require.EqualValues(t, 15, metas[0].Index)
	})
}

func TestInterruptedSnapshotIsSwept(t *testing.T) {
	both(t, func(t *testing.T, kind string) {
		o := options(t.TempDir(), kind)
		s := open(t, o)
		_, trans := raft.NewInmemTransport("")
		sink, err := s.Snapshots().Create(1, 9, 3, raft.Configuration{}, 1, trans)
		require.NoError(t, err)
		_, err = sink.Write([]byte("half"))
		require.NoError(t, err)
		o.Dir = crash(t, o.Dir)
		open(t, o)
		left, err := os.ReadDir(filepath.Join(o.Dir, snapshotsFolder))
		require.NoError(t, err)
		require.Empty(t, left)
		require.NoError(t, sink.Cancel())
		require.NoError(t, errors.Join(sink.Cancel(), sink.Close()))
	})
}
