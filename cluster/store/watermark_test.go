package store

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"
)

func TestWatermarkFollowsTheLog(t *testing.T) {
	both(t, func(t *testing.T, kind string) {
		o := options(t.TempDir(), kind)
		s := open(t, o)
		for _, end := range []uint64{5, 9} {
			last, err := s.Log().LastIndex()
			require.NoError(t, err)
			fill(t, s, last+1, end)
			eventually(t, "the watermark is written", func() bool { return s.Watermark() == end })
			require.Equal(t, end, durableSlots(t, o.Dir).end)
		}
	})
}

func TestWatermarkIsDurableBeforeAVote(t *testing.T) {
	both(t, func(t *testing.T, kind string) {
		o := options(t.TempDir(), kind)
		votes := 0
		o.hooks.wrapStable = func(st raft.StableStore) raft.StableStore {
			return &watched{st, func(_, val []byte) error {
				rec, err := decodeVote(val)
				if err == nil && rec.voteTerm > 0 {
					votes++
					require.EqualValues(t, 40, durableSlots(t, o.Dir).end)
				}
				return err
			}}
		}
		s := open(t, o)
		fill(t, s, 1, 40)
		vote(t, s, 4, "b")
		require.Equal(t, 1, votes)
	})
}

func TestWatermarkIsLoweredBeforeTheCut(t *testing.T) {
	both(t, func(t *testing.T, kind string) {
		o := options(t.TempDir(), kind)
		s, f := openFaulty(t, o)
		fill(t, s, 1, 20)
		cut := false
		f.delete = func(min, max uint64) error {
			cut = true
			require.EqualValues(t, 12, durableSlots(t, o.Dir).end)
			return nil
		}
		require.NoError(t, s.Log().DeleteRange(13, 20))
		require.True(t, cut)
		o.Dir = crash(t, o.Dir)
		requireEntries(t, open(t, o).Log(), 1, 12)
	})
}

func TestWholeLogCutKeepsTheSnapshotPromise(t *testing.T) {
	both(t, func(t *testing.T, kind string) {
		o := options(t.TempDir(), kind)
		s := open(t, o)
		fill(t, s, 1, 20)
		snapshot(t, s, 15, 3)
		require.NoError(t, s.Log().DeleteRange(1, 20))
		require.EqualValues(t, 15, durableSlots(t, o.Dir).end)
		require.NoError(t, s.Close())
		s = open(t, o)
		require.EqualValues(t, 15, s.Watermark())
		require.NoError(t, s.Close())

		require.NoError(t, os.RemoveAll(filepath.Join(o.Dir, snapshotsFolder)))
		_, err := Open(o)
		require.ErrorIs(t, err, ErrForgotten)
	})
}

func TestForgotten(t *testing.T) {
	logOf := map[string]string{LogStoreWAL: walFolder, LogStoreBolt: boltFile}
	for name, lose := range map[string]func(dir, kind string) error{
		"the log":           func(dir, kind string) error { return os.RemoveAll(filepath.Join(dir, logOf[kind])) },
		"the vote":          func(dir, _ string) error { return os.Remove(filepath.Join(dir, stableFile)) },
		"the watermark":     func(dir, _ string) error { return os.Remove(filepath.Join(dir, watermarkFile)) },
		"in both slots":     func(dir, _ string) error { return os.WriteFile(filepath.Join(dir, watermarkFile), nil, 0) },
		"the log's end":     cutBehindItsBack,
		"the log's segment": loseSegment,
	} {
		t.Run(name, func(t *testing.T) {
			both(t, func(t *testing.T, kind string) {
				o := options(t.TempDir(), kind)
				s := open(t, o)
				vote(t, s, 3, "a")
				fill(t, s, 1, 10)
				require.NoError(t, s.Close())
				require.NoError(t, lose(o.Dir, kind))
				if name == "the log's segment" && kind == LogStoreBolt {
					open(t, o) // it has none
					return
				}
				for range 2 { // it does not heal by being looked at
					_, err := Open(o)
					require.ErrorIs(t, err, ErrForgotten)
				}
			})
		})
	}
}

// cutBehindItsBack shortens the log as a lying disk would, without the
// watermark.
func cutBehindItsBack(dir, kind string) error {
	o := options(dir, kind).withDefaults()
	b, err := openBackend(o, newPoison(o))
	if err != nil {
		return err
	}
	if err := b.DeleteRange(8, 10); err != nil {
		return err
	}
	return b.close()
}

func loseSegment(dir, _ string) error {
	segments, err := filepath.Glob(filepath.Join(dir, walFolder, "*.wal"))
	for _, path := range segments {
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	return err
}

func TestTornSlotLeavesTheOther(t *testing.T) {
	path := filepath.Join(t.TempDir(), watermarkFile)
	s, err := makeSlots(path, syncDir)
	require.NoError(t, err)
	for i := uint64(1); i <= 9; i++ {
		require.NoError(t, s.write(mark{end: i, term: 2, voteTerm: 1}))
	}
	require.NoError(t, s.close())
	for _, want := range []struct{ tear, left int64 }{{-1, 9}, {int64(s.seq % 2), 8}} {
		if want.tear >= 0 {
			f, err := os.OpenFile(path, os.O_RDWR, 0)
			require.NoError(t, err)
			_, err = f.WriteAt([]byte{0xff, 0xff}, want.tear*slotBytes+16)
			require.NoError(t, err)
			require.NoError(t, f.Close())
		}
		s, m, err := openSlots(path)
		require.NoError(t, err)
		require.Equal(t, mark{uint64(want.left), 2, 1}, m)
		require.NoError(t, s.close())
	}
}

func TestUnreadableFileIsNotForgotten(t *testing.T) {
	both(t, func(t *testing.T, kind string) {
		o := options(t.TempDir(), kind)
		s := open(t, o)
		fill(t, s, 1, 10)
		require.NoError(t, s.Close())
		o.hooks.wrapLog = func(l raft.LogStore) raft.LogStore { return &unreadable{l} }
		_, err := Open(o)
		require.Error(t, err)
		require.NotErrorIs(t, err, ErrForgotten, "a transient error must not cost a replica")
		o.hooks.wrapLog = nil
		requireEntries(t, open(t, o).Log(), 1, 10)
	})
}

type unreadable struct{ raft.LogStore }

func (u *unreadable) IsMonotonic() bool { return isMonotonic(u.LogStore) }
func (u *unreadable) GetLog(uint64, *raft.Log) error {
	return &os.PathError{Op: "read", Path: "log", Err: os.ErrInvalid}
}
