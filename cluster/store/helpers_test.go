package store

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"
)

// both runs a test on each log store.
func both(t *testing.T, test func(t *testing.T, kind string)) {
	for _, kind := range []string{LogStoreWAL, LogStoreBolt} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			test(t, kind)
		})
	}
}

func options(dir, kind string) Options {
	return Options{
		Dir: dir, LogStore: kind, SegmentBytes: 1 << 20, Deadline: time.Minute,
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
		hooks:  hooks{termHold: time.Millisecond},
	}
}

func open(t *testing.T, o Options) *Store {
	t.Helper()
	s, err := Open(o)
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// payload can be found again in the files.
func payload(i uint64) []byte { return fmt.Appendf(nil, "<<entry %06d payload>>", i) }

func entries(from, to uint64) []*raft.Log {
	var logs []*raft.Log
	for i := from; i <= to; i++ {
		logs = append(logs, &raft.Log{Index: i, Term: 3, Type: raft.LogCommand, Data: payload(i), AppendedAt: time.Unix(1, 0)})
	}
	return logs
}

// fill appends each entry with a commit of its own.
func fill(t *testing.T, s *Store, from, to uint64) {
	t.Helper()
	for _, log := range entries(from, to) {
		require.NoError(t, s.Log().StoreLog(log))
	}
}

func requireEntries(t *testing.T, l raft.LogStore, from, to uint64) {
	t.Helper()
	first, err := l.FirstIndex()
	require.NoError(t, err)
	require.Equal(t, from, first)
	last, err := l.LastIndex()
	require.NoError(t, err)
	require.Equal(t, to, last)
	for i := from; i <= to; i++ {
		var log raft.Log
		require.NoError(t, l.GetLog(i, &log))
		require.Equal(t, payload(i), log.Data)
	}
}

// rot flips a bit in every copy of entry i below dir.
func rot(t *testing.T, dir string, i uint64) {
	t.Helper()
	found := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		n := bytes.Count(raw, payload(i))
		if n == 0 {
			return nil
		}
		found += n
		bad := payload(i)
		bad[10] ^= 4
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			return err
		}
		for off := 0; ; {
			at := bytes.Index(raw[off:], payload(i))
			if at < 0 {
				return f.Close()
			}
			if _, err := f.WriteAt(bad, int64(off+at)); err != nil {
				return err
			}
			off += at + 1
		}
	})
	require.NoError(t, err)
	require.Positive(t, found, "entry %d is in no file", i)
}

// crash copies a folder as it is on the disk now, as a process finds it that
// starts after another was killed.
func crash(t *testing.T, dir string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "crashed")
	require.NoError(t, os.CopyFS(to, os.DirFS(dir)))
	return to
}

// makeSlots makes a watermark file.
func makeSlots(path string, sync func(string) error) (*slots, error) {
	f, err := makeMark(path, firstSlots(), sync)
	if err != nil {
		return nil, err
	}
	return &slots{f: f, seq: firstSeq}, nil
}

// openSlots reads one.
func openSlots(path string) (*slots, mark, error) {
	f, err := openMark(path)
	if err != nil {
		return nil, mark{}, err
	}
	return readSlots(f)
}

func durableSlots(t *testing.T, dir string) mark {
	t.Helper()
	s, m, err := openSlots(filepath.Join(dir, watermarkFile))
	require.NoError(t, err)
	require.NoError(t, s.close())
	return m
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	require.Eventually(t, ok, time.Minute, 5*time.Millisecond, what)
}

// faulty stands in for a log or stable store on a bad disk.
type faulty struct {
	raft.LogStore
	store  atomic.Pointer[func() error]
	delete func(min, max uint64) error
}

func (f *faulty) IsMonotonic() bool { return isMonotonic(f.LogStore) }

func (f *faulty) StoreLogs(logs []*raft.Log) error {
	if before := f.store.Load(); before != nil {
		if err := (*before)(); err != nil {
			return err
		}
	}
	return f.LogStore.StoreLogs(logs)
}

func (f *faulty) DeleteRange(min, max uint64) error {
	if f.delete != nil {
		if err := f.delete(min, max); err != nil {
			return err
		}
	}
	return f.LogStore.DeleteRange(min, max)
}

// watched runs a function before each Set of the vote record.
type watched struct {
	raft.StableStore
	before func(key, val []byte) error
}

func (w *watched) Set(key, val []byte) error {
	if err := w.before(key, val); err != nil {
		return err
	}
	return w.StableStore.Set(key, val)
}

func vote(t *testing.T, s *Store, term uint64, cand string) {
	t.Helper()
	require.NoError(t, s.Stable().SetUint64([]byte(keyTerm), term))
	require.NoError(t, s.Stable().SetUint64([]byte(keyVoteTerm), term))
	require.NoError(t, s.Stable().Set([]byte(keyVoteCand), []byte(cand)))
}

func snapshot(t *testing.T, s *Store, index, term uint64) {
	t.Helper()
	_, trans := raft.NewInmemTransport("")
	sink, err := s.Snapshots().Create(1, index, term, raft.Configuration{}, 1, trans)
	require.NoError(t, err)
	_, err = sink.Write([]byte("state"))
	require.NoError(t, err)
	require.NoError(t, sink.Close())
}
