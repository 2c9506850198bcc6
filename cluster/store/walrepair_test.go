package store

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"
)

func large(i uint64) *raft.Log {
	data := append(payload(i), make([]byte, 12<<10)...)
	return &raft.Log{Index: i, Term: 3, Data: data}
}

func requireLarge(t *testing.T, l raft.LogStore, to uint64) {
	t.Helper()
	last, err := l.LastIndex()
	require.NoError(t, err)
	require.Equal(t, to, last)
	for i := uint64(1); i <= to; i++ {
		var log raft.Log
		require.NoError(t, l.GetLog(i, &log), "entry %d", i)
		require.Equal(t, large(i).Data, log.Data)
	}
}

func TestCutAfterEveryAppendThenReopen(t *testing.T) {
	both(t, func(t *testing.T, kind string) {
		o := options(t.TempDir(), kind)
		o.SegmentBytes = segmentBytesMin // holds about five entries
		s := open(t, o)
		for i := uint64(1); i <= 24; i++ {
			require.NoError(t, s.Log().StoreLog(large(i)))
			require.NoError(t, s.Log().StoreLog(large(i+1)))
			// At once: the segment may be full and not yet rotated.
			require.NoError(t, s.Log().DeleteRange(i+1, i+1))
			if i%6 == 0 {
				requireLarge(t, s.Log(), i)
				require.NoError(t, s.Close())
				s = open(t, o)
				requireLarge(t, s.Log(), i)
			}
		}
	})
}

// TestKillAfterEveryAppend takes a copy of the folder after each append; among
// them are those with a full segment and no successor.
func TestKillAfterEveryAppend(t *testing.T) {
	both(t, func(t *testing.T, kind string) {
		o := options(t.TempDir(), kind)
		o.SegmentBytes = segmentBytesMin
		s := open(t, o)
		for i := uint64(1); i <= 14; i++ {
			require.NoError(t, s.Log().StoreLog(large(i)))
			killed := o
			killed.Dir = crash(t, o.Dir)
			after := open(t, killed)
			requireLarge(t, after.Log(), i)
			require.NoError(t, after.Log().StoreLog(large(i+1)))
			require.NoError(t, after.Close())
			requireLarge(t, open(t, killed).Log(), i+1)
		}
	})
}

// TestKillBeforeRotation builds the state of a process that died between the
// last append to a segment and its rotation: the meta database from before,
// the segments from after.
func TestKillBeforeRotation(t *testing.T) {
	o := options(t.TempDir(), LogStoreWAL)
	o.SegmentBytes = segmentBytesMin
	full := segmentEntries(t)
	s := open(t, o)
	require.NoError(t, s.Log().StoreLog(large(1)))
	before := crash(t, o.Dir)
	for i := uint64(2); i <= full; i++ {
		require.NoError(t, s.Log().StoreLog(large(i)))
	}
	eventually(t, "rotation", func() bool { return len(segments(t, o.Dir)) == 2 })
	require.NoError(t, s.Close())
	require.NoError(t, os.Remove(segments(t, o.Dir)[1]))
	meta := filepath.Join(walFolder, "wal-meta.db")
	raw, err := os.ReadFile(filepath.Join(before, meta))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(o.Dir, meta), raw, 0o600))

	for i := full; i < full+3; i++ {
		s = open(t, o)
		requireLarge(t, s.Log(), i)
		require.NoError(t, s.Log().StoreLog(large(i+1)))
		require.NoError(t, s.Close())
	}
	requireLarge(t, open(t, o).Log(), full+3)
}

func segments(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, walFolder, "*.wal"))
	require.NoError(t, err)
	return files
}

// segmentEntries is how many large entries fill a segment.
func segmentEntries(t *testing.T) uint64 {
	t.Helper()
	o := options(t.TempDir(), LogStoreWAL)
	o.SegmentBytes = segmentBytesMin
	s := open(t, o)
	for i := uint64(1); len(segments(t, o.Dir)) == 1; i++ {
		require.NoError(t, s.Log().StoreLog(large(i)))
	}
	var base, id uint64
	_, err := fmt.Sscanf(filepath.Base(segments(t, o.Dir)[1]), "%020d-%016x.wal", &base, &id)
	require.NoError(t, err)
	return base - 1
}

// TestCutRacesRotation calls the library without the detour over a guard, so
// that a cut often comes before the rotation that the append began.
func TestCutRacesRotation(t *testing.T) {
	both(t, func(t *testing.T, kind string) {
		o := options(t.TempDir(), kind).withDefaults()
		o.SegmentBytes = segmentBytesMin
		b, err := openBackend(o, newPoison(o))
		require.NoError(t, err)
		full := segmentEntries(t)
		i := uint64(0)
		for range 60 {
			for range full - 1 {
				require.NoError(t, b.StoreLog(large(i+1)))
				i++
			}
			require.NoError(t, b.StoreLog(large(i+1))) // fills the segment
			require.NoError(t, b.DeleteRange(i+1, i+1))
		}
		requireLarge(t, b, i)
		require.NoError(t, b.close())
		b, err = openBackend(o, newPoison(o))
		require.NoError(t, err)
		requireLarge(t, b, i)
		require.NoError(t, b.close())
	})
}
