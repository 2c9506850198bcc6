//go:build linux

package ferryfs

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestManyAtOnce lets writers run into faults and power losses. Each saves a
// file as one should (write, fsync, rename, fsync of the folder) and must find
// what it saved last, or what it was saving when an error came.
func TestManyAtOnce(t *testing.T) {
	f := mounted(t, Options{})
	const writers, rounds = 4, 8
	saved, tried := make([]int, writers), make([]int, writers)
	for round := range rounds {
		var done sync.WaitGroup
		var savedNow [writers]atomic.Int64 // in this round
		var ended [writers]error
		for w := range writers {
			done.Go(func() {
				for i := saved[w] + 1; ; i++ {
					tried[w] = i
					if err := save(f, w, i); err != nil {
						ended[w] = err
						return
					}
					saved[w] = i
					savedNow[w].Add(1)
				}
			})
		}
		until(t, func() bool {
			for w := range writers {
				if savedNow[w].Load() < 2 {
					return false
				}
			}
			return true
		})
		before := bites(f, FailSync)
		require.NoError(t, f.Arm(SlowSync, Arming{Delay: time.Millisecond, Times: 5}))
		require.NoError(t, f.Arm(FailSync, Arming{Path: "w0.*"}))
		until(t, func() bool { return bites(f, FailSync) > before })
		_, err := f.PowerLoss(Loss{Torn: round%2 == 0, Seed: uint64(round)})
		require.NoError(t, err)
		done.Wait()
		for _, err := range ended {
			require.ErrorIs(t, err, syscall.EIO)
		}
		f.Calm()
		f.PowerOn()
		for w := range writers {
			saved[w] = found(t, f, w, saved[w], tried[w])
		}
	}
	c := f.Counters()
	require.Greater(t, c.Lost, int64(0))
	require.Zero(t, c.Forced)
	for w := range writers {
		require.GreaterOrEqual(t, saved[w], 2*rounds)
	}
	requireClosed(t, f)
}

func until(t *testing.T, holds func() bool) {
	t.Helper()
	require.Eventually(t, holds, soon, time.Millisecond)
}

func save(f *FS, w, i int) error {
	tmp := f.at(fmt.Sprintf("w%d.tmp", w))
	file, err := os.Create(tmp)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(file, "%05000d", i)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	if err := os.Rename(tmp, f.at(fmt.Sprintf("w%d", w))); err != nil {
		return err
	}
	return trySyncFolder(f, ".")
}

// found tells what a writer's file holds, which must be the last one saved or
// the one that was being saved.
func found(t *testing.T, f *FS, w, saved, tried int) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(f.Mountpoint(), fmt.Sprintf("w%d", w)))
	if saved == 0 && errors.Is(err, os.ErrNotExist) {
		return 0
	}
	require.NoError(t, err)
	for _, i := range []int{saved, tried} {
		if string(text) == fmt.Sprintf("%05000d", i) {
			return i
		}
	}
	require.Fail(t, "a saved file is lost or torn", "writer %d saved %d, tried %d", w, saved, tried)
	return 0
}
