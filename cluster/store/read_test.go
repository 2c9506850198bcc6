package store

import (
	"crypto/sha256"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"
)

// fingerprint is every file below dir, with its content's hash and its time.
func fingerprint(t *testing.T, dir string) map[string]any {
	t.Helper()
	all := map[string]any{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		all[path] = info.ModTime()
		if d.Type().IsRegular() {
			raw, err := os.ReadFile(path)
			all[path] = [2]any{info.ModTime(), sha256.Sum256(raw)}
			return err
		}
		return nil
	}))
	return all
}

// read returns what ReadLog finds, and requires that it changes nothing.
func read(t *testing.T, dir string, from, to uint64) ([]uint64, error) {
	t.Helper()
	before := fingerprint(t, dir)
	var found []uint64
	err := ReadLog(dir, from, to, func(l *raft.Log) error {
		found = append(found, l.Index)
		require.Equal(t, payload(l.Index), l.Data[:len(payload(l.Index))])
		return nil
	})
	require.Equal(t, before, fingerprint(t, dir))
	return found, err
}

func span(from, to uint64) (all []uint64) {
	for i := from; i <= to; i++ {
		all = append(all, i)
	}
	return all
}

func TestReadLog(t *testing.T) {
	both(t, func(t *testing.T, kind string) {
		o := options(t.TempDir(), kind)
		s := open(t, o)
		fill(t, s, 1, 30)
		require.NoError(t, s.Log().DeleteRange(1, 4))
		// The open store may write its watermark meanwhile: only what it is told is looked at.
		require.ErrorIs(t, ReadLog(o.Dir, 0, 0, nil), ErrLocked)
		require.NoError(t, s.Close())

		got, err := read(t, o.Dir, 0, 0)
		require.NoError(t, err)
		require.Equal(t, span(5, 30), got)
		got, err = read(t, o.Dir, 3, 7)
		require.NoError(t, err)
		require.Equal(t, span(5, 7), got)
		got, err = read(t, o.Dir, 29, 99)
		require.NoError(t, err)
		require.Equal(t, span(29, 30), got)

		stop := errors.New("enough")
		require.ErrorIs(t, ReadLog(o.Dir, 0, 0, func(*raft.Log) error { return stop }), stop)
	})
}

// TestReadLogAfterEveryAppend reads copies of the folder as a killed process
// leaves it, among them those with a full segment and no successor, and then
// as a replica that runs on.
func TestReadLogAfterEveryAppend(t *testing.T) {
	both(t, func(t *testing.T, kind string) {
		o := options(t.TempDir(), kind)
		o.SegmentBytes = segmentBytesMin
		s := open(t, o)
		for i := uint64(1); i <= 14; i++ {
			require.NoError(t, s.Log().StoreLog(large(i)))
			dir := crash(t, o.Dir)
			got, err := read(t, dir, 0, 0)
			require.NoError(t, err)
			require.Equal(t, span(1, i), got)
			again := o
			again.Dir = dir
			requireLarge(t, open(t, again).Log(), i)
		}
	})
}

// TestReadLogWithBadEntries: above the watermark a bad entry is a torn end,
// below it everything else is read and the entry named.
func TestReadLogWithBadEntries(t *testing.T) {
	both(t, func(t *testing.T, kind string) {
		o := options(t.TempDir(), kind)
		s := open(t, o)
		fill(t, s, 1, 30)
		require.NoError(t, s.Close())

		rotten := crash(t, o.Dir)
		rot(t, rotten, 12)
		got, err := read(t, rotten, 0, 0)
		require.ErrorIs(t, err, ErrCorrupt)
		require.ErrorContains(t, err, "entry 12")
		require.Equal(t, append(span(1, 11), span(13, 30)...), got)

		torn := crash(t, o.Dir)
		require.NoError(t, os.Remove(filepath.Join(torn, watermarkFile)))
		rot(t, torn, 12)
		got, err = read(t, torn, 0, 0)
		require.NoError(t, err)
		require.Equal(t, span(1, 11), got)
	})
}

// TestReadLogOfLittle: folders that never held a log, or hardly.
func TestReadLogOfLittle(t *testing.T) {
	_, err := LockShared(filepath.Join(t.TempDir(), "nowhere"))
	require.ErrorIs(t, err, fs.ErrNotExist)
	empty := t.TempDir()
	_, err = read(t, empty, 0, 0)
	require.ErrorIs(t, err, ErrNoLog)

	require.NoError(t, os.WriteFile(filepath.Join(empty, boltFile), nil, 0o600))
	got, err := read(t, empty, 0, 0)
	require.NoError(t, err)
	require.Empty(t, got)
	require.NoError(t, os.WriteFile(filepath.Join(empty, boltFile), make([]byte, 1<<16), 0o600))
	_, err = read(t, empty, 0, 0)
	require.ErrorContains(t, err, boltFile)

	unmade := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(unmade, walFolder), 0o700))
	got, err = read(t, unmade, 0, 0)
	require.NoError(t, err)
	require.Empty(t, got)

	both(t, func(t *testing.T, kind string) {
		o := options(t.TempDir(), kind)
		require.NoError(t, open(t, o).Close())
		got, err := read(t, o.Dir, 0, 0)
		require.NoError(t, err)
		require.Empty(t, got)
	})
}

// TestReadLogWithoutSegment: a segment that is in the list and not there.
func TestReadLogWithoutSegment(t *testing.T) {
	o := options(t.TempDir(), LogStoreWAL)
	o.SegmentBytes = segmentBytesMin
	s := open(t, o)
	for i := uint64(1); i <= 14; i++ {
		require.NoError(t, s.Log().StoreLog(large(i)))
	}
	require.NoError(t, s.Close())
	segments, err := filepath.Glob(filepath.Join(o.Dir, walFolder, "*.wal"))
	require.NoError(t, err)
	require.Greater(t, len(segments), 2)
	require.NoError(t, os.Truncate(segments[0], 10))
	_, err = read(t, o.Dir, 0, 0)
	require.ErrorIs(t, err, ErrCorrupt)
	require.NoError(t, os.Remove(segments[0]))
	_, err = read(t, o.Dir, 0, 0)
	require.ErrorIs(t, err, fs.ErrNotExist)
}
