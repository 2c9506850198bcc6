package store

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"

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

// folderSnapshots is raft.FileSnapshotStore with the missing folder fsyncs, and
// with the missing checksum (snapshotsum.go).
// That store fsyncs both files of a snapshot and, after the rename, the folder
// of all snapshots, but never the snapshot's own folder: after a power loss it
// may be there and be empty. Both files get their names in Create and keep
// them, so fsyncing the new folder right then is enough.
type folderSnapshots struct {
	*raft.FileSnapshotStore
	dir     string
	syncDir func(string) error
	logger  *slog.Logger
}

func openFolderSnapshots(o Options) (*folderSnapshots, error) {
	files, err := raft.NewFileSnapshotStoreWithLogger(o.Dir, o.SnapshotsRetained, bridge(o.Logger, "snapshot"))
	if err != nil {
		return nil, err
	}
	if err := o.hooks.syncDir(o.Dir); err != nil {
		return nil, err
	}
	dir := filepath.Join(o.Dir, snapshotsFolder)
	s := &folderSnapshots{FileSnapshotStore: files, dir: dir, syncDir: o.hooks.syncDir, logger: o.Logger}
	return s, s.setRottenAside()
}

// Create implements raft.SnapshotStore.
func (s *folderSnapshots) Create(version raft.SnapshotVersion, index, term uint64, conf raft.Configuration,
	confIndex uint64, trans raft.Transport) (raft.SnapshotSink, error) {
	sink, err := s.FileSnapshotStore.Create(version, index, term, conf, confIndex, trans)
	if err != nil {
		return nil, err
	}
	folder := filepath.Join(s.dir, sink.ID()+snapshotTmp)
	for _, dir := range []string{folder, s.dir} {
		if err := s.syncDir(dir); err != nil {
			return nil, errors.Join(err, sink.Cancel())
		}
	}
	state, err := os.OpenFile(filepath.Join(folder, snapshotState), os.O_WRONLY, 0)
	if err != nil {
		return nil, errors.Join(err, sink.Cancel())
	}
	return &folderSink{SnapshotSink: sink, state: state, store: s}, nil
}

// folderSink writes a snapshot out on the way.
type folderSink struct {
	raft.SnapshotSink
	store *folderSnapshots
	state *os.File // the file that the sink writes
	dirty int      // bytes written since the last flush
}

func (k *folderSink) Write(p []byte) (int, error) {
	n, err := k.SnapshotSink.Write(p)
	if k.dirty += n; err == nil && k.dirty >= flushEvery {
		k.dirty = 0
		err = fdatasync(k.state)
	}
	return n, err
}

func (k *folderSink) Close() error {
	if err := k.state.Close(); err != nil {
		return errors.Join(err, k.SnapshotSink.Cancel())
	}
	if err := k.SnapshotSink.Close(); err != nil {
		return err
	}
	return sumSnapshot(filepath.Join(k.store.dir, k.ID()), k.store.syncDir)
}

func (k *folderSink) Cancel() error { return errors.Join(k.state.Close(), k.SnapshotSink.Cancel()) }
