package store

import (
	"errors"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"
)

// openFaulty opens a store whose log can be made to fail.
func openFaulty(t *testing.T, o Options) (*Store, *faulty) {
	t.Helper()
	f := &faulty{}
	o.hooks.wrapLog = func(l raft.LogStore) raft.LogStore {
		f.LogStore = l
		return f
	}
	return open(t, o), f
}

func (f *faulty) onStore(before func() error) { f.store.Store(&before) }

func TestHungCallPoisonsForGood(t *testing.T) {
	both(t, func(t *testing.T, kind string) {
		var hangs, fatals atomic.Int32
		o := options(t.TempDir(), kind)
		o.Deadline = time.Second
		o.OnHang = func(op string, took time.Duration) {
			require.Equal(t, "store logs", op)
			require.GreaterOrEqual(t, took, o.Deadline)
			hangs.Add(1)
		}
		o.OnFatal = func(error) { fatals.Add(1) }
		s, f := openFaulty(t, o)
		fill(t, s, 1, 3)
		release := make(chan struct{})
		f.onStore(func() error {
			<-release
			return nil
		})
		start := time.Now()
		require.ErrorIs(t, s.Log().StoreLogs(entries(4, 4)), ErrHung)
		require.Less(t, time.Since(start), time.Minute)
		require.EqualValues(t, 1, hangs.Load())

		requirePoisoned(t, s)
		require.ErrorIs(t, s.Err(), ErrHung)
		require.ErrorIs(t, s.Close(), ErrHung, "a file in use must stay open")
		close(release)
		s.logGuards[1].wg.Wait()
		requirePoisoned(t, s) // although the call came back
		require.EqualValues(t, 1, hangs.Load())
		require.EqualValues(t, 0, fatals.Load())

		// The write landed after all: only a fresh start may look.
		o.Dir = crash(t, o.Dir)
		requireEntries(t, open(t, o).Log(), 1, 4)
		require.NoError(t, s.backend.Close())
		require.NoError(t, s.lock.Close())
	})
}

func TestWaitersAreReleasedByAHang(t *testing.T) {
	both(t, func(t *testing.T, kind string) {
		o := options(t.TempDir(), kind)
		o.Deadline = time.Second
		s, f := openFaulty(t, o)
		release := make(chan struct{})
		f.onStore(func() error {
			<-release
			return nil
		})
		results := make(chan error, 5)
		for range cap(results) {
			go func() { results <- s.Log().StoreLogs(entries(1, 1)) }()
		}
		hung := 0
		for range cap(results) {
			err := <-results
			require.Error(t, err)
			if !isPoisoned(err) {
				require.ErrorIs(t, err, ErrHung)
				hung++
			}
		}
		require.Positive(t, hung)
		close(release)
	})
}

func isPoisoned(err error) bool { return errors.Is(err, ErrPoisoned) }

func TestFirstWriteErrorPoisonsForGood(t *testing.T) {
	for name, cause := range map[string]error{"EIO": syscall.EIO, "ENOSPC": syscall.ENOSPC} {
		t.Run(name, func(t *testing.T) {
			both(t, func(t *testing.T, kind string) {
				var fatals atomic.Int32
				o := options(t.TempDir(), kind)
				o.OnFatal = func(err error) {
					require.ErrorIs(t, err, cause)
					fatals.Add(1)
				}
				s, f := openFaulty(t, o)
				fill(t, s, 1, 3)
				f.onStore(func() error { return cause })
				require.ErrorIs(t, s.Log().StoreLogs(entries(4, 4)), cause)
				f.onStore(func() error { return nil }) // an fsync that is tried again succeeds
				requirePoisoned(t, s)
				require.ErrorIs(t, s.Err(), cause)
				require.EqualValues(t, 1, fatals.Load())
				require.NoError(t, s.Close())
				requireEntries(t, open(t, options(o.Dir, kind)).Log(), 1, 3)
			})
		})
	}
}

// requirePoisoned checks that nothing can be done with the store: not read,
// not written, and above all not voted.
func requirePoisoned(t *testing.T, s *Store) {
	t.Helper()
	var log raft.Log
	require.ErrorIs(t, s.Log().StoreLogs(entries(4, 4)), ErrPoisoned)
	require.ErrorIs(t, s.Log().GetLog(1, &log), ErrPoisoned)
	require.ErrorIs(t, s.Log().DeleteRange(1, 2), ErrPoisoned)
	_, err := s.Log().LastIndex()
	require.ErrorIs(t, err, ErrPoisoned)
	require.ErrorIs(t, s.Stable().SetUint64([]byte(keyTerm), 9), ErrPoisoned)
	require.ErrorIs(t, s.Stable().SetUint64([]byte(keyVoteTerm), 9), ErrPoisoned)
	_, err = s.Stable().Get([]byte(keyVoteCand))
	require.ErrorIs(t, err, ErrPoisoned)
	_, err = s.Stable().GetUint64([]byte(keyTerm))
	require.ErrorIs(t, err, ErrPoisoned)
	_, trans := raft.NewInmemTransport("")
	_, err = s.Snapshots().Create(1, 3, 1, raft.Configuration{}, 1, trans)
	require.ErrorIs(t, err, ErrPoisoned)
}

func TestPanicInTheLibraryIsAnError(t *testing.T) {
	both(t, func(t *testing.T, kind string) {
		s, f := openFaulty(t, options(t.TempDir(), kind))
		f.onStore(func() error { panic("page 7 is not a leaf") })
		require.ErrorContains(t, s.Log().StoreLogs(entries(1, 1)), "page 7")
		require.ErrorIs(t, s.Log().StoreLogs(entries(1, 1)), ErrPoisoned)
	})
}

func TestBoltDeletesInSlices(t *testing.T) {
	const n = 3*sliceEntries + 100
	type cut struct{ min, max uint64 }
	var cuts []cut
	o := options(t.TempDir(), LogStoreBolt)
	s, f := openFaulty(t, o)
	f.delete = func(min, max uint64) error {
		cuts = append(cuts, cut{min, max})
		return nil
	}
	require.NoError(t, s.Log().StoreLogs(entries(1, n)))

	require.NoError(t, s.Log().DeleteRange(1, sliceEntries+10))
	require.Equal(t, []cut{{1, sliceEntries}, {sliceEntries + 1, sliceEntries + 10}}, cuts)
	snapshot(t, s, sliceEntries+10, 3)

	// A suffix goes from the back: a crash in between leaves no hole.
	cuts = nil
	require.NoError(t, s.Log().DeleteRange(sliceEntries+20, n))
	require.Equal(t, uint64(n), cuts[0].max)
	require.Equal(t, uint64(sliceEntries+20), cuts[len(cuts)-1].min)
	for i, c := range cuts {
		require.LessOrEqual(t, c.max-c.min, uint64(sliceEntries-1))
		if i > 0 {
			require.Equal(t, cuts[i-1].min-1, c.max)
		}
	}
	requireEntries(t, s.Log(), sliceEntries+11, sliceEntries+19)
}
