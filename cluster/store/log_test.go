package store

import (
	"testing"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"
)

func TestLogSurvivesReopenInTheSameProcess(t *testing.T) {
	both(t, func(t *testing.T, kind string) {
		o := options(t.TempDir(), kind)
		s := open(t, o)
		state, err := s.HasState()
		require.NoError(t, err)
		require.False(t, state)
		fill(t, s, 1, 20)
		for range 3 {
			require.NoError(t, s.Close())
			require.ErrorIs(t, s.Log().StoreLogs(entries(21, 21)), ErrClosed)
			s = open(t, o)
			requireEntries(t, s.Log(), 1, 20)
			require.EqualValues(t, 20, s.Watermark())
		}
		state, err = s.HasState()
		require.NoError(t, err)
		require.True(t, state)
		size, err := s.Bytes()
		require.NoError(t, err)
		require.Positive(t, size)
	})
}

func TestLogRollsOverSegments(t *testing.T) {
	both(t, func(t *testing.T, kind string) {
		o := options(t.TempDir(), kind)
		o.SegmentBytes = segmentBytesMin
		s := open(t, o)
		for i := uint64(1); i <= 40; i++ {
			require.NoError(t, s.Log().StoreLog(&raft.Log{Index: i, Data: make([]byte, 16<<10)}))
		}
		snapshot(t, s, 17, 3)
		require.NoError(t, s.Log().DeleteRange(1, 17))
		require.NoError(t, s.Close())
		s = open(t, o)
		first, err := s.Log().FirstIndex()
		require.NoError(t, err)
		require.EqualValues(t, 18, first)
	})
}

func TestLogSurvivesKill(t *testing.T) {
	both(t, func(t *testing.T, kind string) {
		o := options(t.TempDir(), kind)
		s := open(t, o)
		fill(t, s, 1, 20)
		o.Dir = crash(t, o.Dir)
		requireEntries(t, open(t, o).Log(), 1, 20)
	})
}

func TestMonotonicIsVisible(t *testing.T) {
	both(t, func(t *testing.T, kind string) {
		m, ok := open(t, options(t.TempDir(), kind)).Log().(raft.MonotonicLogStore)
		require.True(t, ok)
		require.Equal(t, kind == LogStoreWAL, m.IsMonotonic())
	})
}

func TestMissingEntryIsRaftsOwnError(t *testing.T) {
	both(t, func(t *testing.T, kind string) {
		s := open(t, options(t.TempDir(), kind))
		fill(t, s, 1, 3)
		var log raft.Log
		// Raft compares it with ==.
		require.Equal(t, raft.ErrLogNotFound, s.Log().GetLog(4, &log))
		require.NoError(t, s.Err())
	})
}

func TestDeletePrefixAndSuffix(t *testing.T) {
	both(t, func(t *testing.T, kind string) {
		o := options(t.TempDir(), kind)
		s := open(t, o)
		fill(t, s, 1, 30)
		require.NoError(t, s.Log().DeleteRange(1, 10))
		snapshot(t, s, 10, 3)
		require.NoError(t, s.Log().DeleteRange(25, 30))
		requireEntries(t, s.Log(), 11, 24)
		require.EqualValues(t, 24, s.mark.durableMark().end)
		fill(t, s, 25, 27)
		require.NoError(t, s.Close())
		requireEntries(t, open(t, o).Log(), 11, 27)
	})
}

func TestLogBeginsAnywhereAfterASnapshot(t *testing.T) {
	both(t, func(t *testing.T, kind string) {
		o := options(t.TempDir(), kind)
		s := open(t, o)
		fill(t, s, 1, 30)
		snapshot(t, s, 500, 3)
		if isMonotonic(s.Log()) {
			// As raft does after it installed a snapshot. On raft-boltdb it
			// leaves the old entries and a hole.
			require.NoError(t, s.Log().DeleteRange(1, 30))
		}
		fill(t, s, 501, 510)
		require.NoError(t, s.Close())
		s = open(t, o)
		require.EqualValues(t, 510, s.Watermark())
		var log raft.Log
		require.NoError(t, s.Log().GetLog(505, &log))
	})
}

func TestLogStoreCannotBeChanged(t *testing.T) {
	both(t, func(t *testing.T, kind string) {
		o := options(t.TempDir(), kind)
		s := open(t, o)
		require.NoError(t, s.Close())
		o.LogStore = map[string]string{LogStoreWAL: LogStoreBolt, LogStoreBolt: LogStoreWAL}[kind]
		_, err := Open(o)
		require.ErrorIs(t, err, ErrLogStore)
	})
}

func TestOptionsNameEveryMistake(t *testing.T) {
	err := Options{LogStore: "tape", Deadline: -1, SegmentBytes: 1, SnapshotsRetained: -1}.Validate()
	for _, field := range []string{"Dir", "LogStore", "Deadline", "SegmentBytes", "SnapshotsRetained"} {
		require.ErrorContains(t, err, field)
	}
	require.NoError(t, Options{Dir: "x"}.Validate())
}
