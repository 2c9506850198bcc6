package store

import (
	"errors"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"
)

func TestChecksumKeepsOtherExtensions(t *testing.T) {
	both(t, func(t *testing.T, kind string) {
		s := open(t, options(t.TempDir(), kind))
		shared := []byte("chunk 1|other")
		log := &raft.Log{Index: 1, Term: 2, Data: []byte("x"), Extensions: shared[:7]}
		require.NoError(t, s.Log().StoreLog(log))
		require.Equal(t, "chunk 1|other", string(shared), "memory of the caller was written")
		var read raft.Log
		require.NoError(t, s.Log().GetLog(1, &read))
		require.Equal(t, "chunk 1", string(read.Extensions[:len(read.Extensions)-checksumBytes]))
		// What one replica read is stored by another as it is.
		before := string(read.Extensions)
		require.NoError(t, open(t, options(t.TempDir(), kind)).Log().StoreLog(&read))
		require.Equal(t, before, string(read.Extensions))
	})
}

func TestEntryDamagedOnTheWayIsRefused(t *testing.T) {
	both(t, func(t *testing.T, kind string) {
		s := open(t, options(t.TempDir(), kind))
		for name, damage := range map[string]func(*raft.Log){
			"data":       func(l *raft.Log) { l.Data[0] ^= 1 },
			"term":       func(l *raft.Log) { l.Term++ },
			"type":       func(l *raft.Log) { l.Type = raft.LogNoop },
			"index":      func(l *raft.Log) { l.Index++ },
			"extensions": func(l *raft.Log) { l.Extensions[0] ^= 1 },
		} {
			log := &raft.Log{Index: 1, Term: 1, Data: []byte("data"), Extensions: []byte("ext")}
			stamp(log)
			damage(log)
			err := s.Log().StoreLog(log)
			require.ErrorIs(t, err, ErrCorrupt, name)
		}
		require.NoError(t, s.Err(), "the disk is not to blame")
		fill(t, s, 1, 1)
	})
}

func TestRottenEntryIsNeverHandedOut(t *testing.T) {
	both(t, func(t *testing.T, kind string) {
		var told atomic.Int32
		o := options(t.TempDir(), kind)
		o.OnFatal = func(error) { told.Add(1) }
		s := open(t, o)
		fill(t, s, 1, 10)
		rot(t, o.Dir, 4)
		var log raft.Log
		err := s.Log().GetLog(4, &log)
		var corrupt *CorruptError
		require.ErrorAs(t, err, &corrupt)
		require.EqualValues(t, 4, corrupt.Index)
		require.ErrorIs(t, err, ErrCorrupt)
		require.Empty(t, log.Data)
		require.ErrorIs(t, s.Log().GetLog(5, &log), ErrPoisoned)
		require.EqualValues(t, 1, told.Load())
	})
}

func TestRottenEntryIsForgottenAtStart(t *testing.T) {
	both(t, func(t *testing.T, kind string) {
		o := options(t.TempDir(), kind)
		o.OnFatal = func(error) { t.Error("a failed Open is no emergency") }
		s := open(t, o)
		fill(t, s, 1, 10)
		require.NoError(t, s.Close())
		rot(t, o.Dir, 4)
		_, err := Open(o)
		require.ErrorIs(t, err, ErrForgotten)
		var corrupt *CorruptError
		require.ErrorAs(t, err, &corrupt)
		require.EqualValues(t, 4, corrupt.Index)

		// The way back: aside, and a new life.
		moved, err := Reset(o.Dir)
		require.NoError(t, err)
		require.NotEmpty(t, moved)
		state, err := open(t, o).HasState()
		require.NoError(t, err)
		require.False(t, state)
	})
}

func TestRotAboveTheWatermarkIsTorn(t *testing.T) {
	both(t, func(t *testing.T, kind string) {
		o := options(t.TempDir(), kind)
		s := open(t, o)
		fill(t, s, 1, 5)
		require.NoError(t, s.Close())
		path := filepath.Join(o.Dir, watermarkFile)
		old, err := os.ReadFile(path)
		require.NoError(t, err)
		s = open(t, o)
		fill(t, s, 6, 10)
		require.NoError(t, s.Close())
		require.NoError(t, os.WriteFile(path, old, 0o600))
		rot(t, o.Dir, 8)

		s = open(t, o)
		requireEntries(t, s.Log(), 1, 7)
		fill(t, s, 8, 9)
		require.NoError(t, s.Close())
		s = open(t, o)
		requireEntries(t, s.Log(), 1, 9)
		require.EqualValues(t, 9, s.Watermark())
	})
}

func TestUnstampedEntryIsCorrupt(t *testing.T) {
	for _, log := range []raft.Log{{Index: 7}, {Index: 7, Extensions: []byte("short")}, {Index: 6}} {
		require.True(t, errors.Is(check(7, &log), ErrCorrupt))
	}
}

func FuzzChecksum(f *testing.F) {
	f.Add(uint64(1), uint64(2), byte(0), []byte("data"), []byte("ext"))
	f.Fuzz(func(t *testing.T, index, term uint64, kind byte, data, ext []byte) {
		log := &raft.Log{Index: index, Term: term, Type: raft.LogType(kind), Data: data, Extensions: ext}
		if stamped(log) {
			return
		}
		stamp(log)
		require.NoError(t, check(index, log))
		require.Equal(t, string(ext), string(log.Extensions[:len(ext)]))
		for i := range data {
			data[i] ^= 0x10
			require.ErrorIs(t, check(index, log), ErrCorrupt)
			data[i] ^= 0x10
		}
	})
}
