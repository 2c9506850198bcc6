package disk

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"

	"github.com/hashicorp/raft"
)

// snapshotsKept is as many as package store keeps.
const snapshotsKept = 2

type snapshot struct {
	meta raft.SnapshotMeta
	body []byte
	sum  uint32
}

// snapshots stands in for raft.FileSnapshotStore: a snapshot is there, whole
// and durable, from the end of its sink on, and its checksum is checked when it
// is opened.
type snapshots struct{ s *Session }

func (f snapshots) List() (metas []*raft.SnapshotMeta, _ error) {
	f.s.look(func(m *image) {
		for i := len(m.snaps) - 1; i >= 0; i-- {
			meta := m.snaps[i].meta
			metas = append(metas, &meta)
		}
	})
	return metas, nil
}

var errSum = errors.New("wrong checksum of a snapshot")

func (f snapshots) Open(id string) (*raft.SnapshotMeta, io.ReadCloser, error) {
	var found *snapshot
	f.s.look(func(m *image) {
		for _, s := range m.snaps {
			if s.meta.ID == id {
				found = &s
			}
		}
	})
	if found == nil {
		return nil, nil, &fs.PathError{Op: "open", Path: id, Err: fs.ErrNotExist}
	}
	if crc32.ChecksumIEEE(found.body) != found.sum {
		return nil, nil, fmt.Errorf("%w: %s", errSum, id)
	}
	return &found.meta, io.NopCloser(bytes.NewReader(found.body)), nil
}

func (f snapshots) Create(version raft.SnapshotVersion, index, term uint64, conf raft.Configuration,
	confIndex uint64, _ raft.Transport) (raft.SnapshotSink, error) {
	d := f.s.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.faults.Write; err != nil && !f.s.dead {
		d.counts.Failed++
		return nil, &fs.PathError{Op: "create", Path: "snapshot", Err: err}
	}
	return &sink{s: f.s, snapshot: snapshot{meta: raft.SnapshotMeta{
		Version: version, ID: fmt.Sprintf("%d-%d-%d", term, index, d.counts.Syncs),
		Index: index, Term: term, Configuration: conf, ConfigurationIndex: confIndex,
	}}}, nil
}

// sink is a snapshot under way.
type sink struct {
	s *Session
	snapshot
	over bool
}

func (k *sink) ID() string { return k.meta.ID }

func (k *sink) Write(p []byte) (int, error) {
	d := k.s.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.faults.Write; err != nil && !k.s.dead {
		d.counts.Failed++
		return 0, &fs.PathError{Op: "write", Path: "snapshot", Err: err}
	}
	k.body = append(k.body, p...)
	return len(p), nil
}

func (k *sink) Close() error {
	if k.over {
		return nil
	}
	k.over = true
	k.meta.Size, k.sum = int64(len(k.body)), crc32.ChecksumIEEE(k.body)
	done := k.snapshot
	return k.s.write("commit snapshot", &write{apply: func(m *image) {
		m.snaps = append(m.snaps, done)
		m.snaps = m.snaps[max(0, len(m.snaps)-snapshotsKept):]
	}})
}

func (k *sink) Cancel() error {
	k.over = true
	return nil
}
