package store

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLockNamesTheFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data", "node")
	held, err := Lock(dir)
	require.NoError(t, err)
	_, err = Lock(dir)
	require.ErrorIs(t, err, ErrLocked)
	require.ErrorContains(t, err, dir)
	require.NoError(t, held.Close())
	again, err := Lock(dir)
	require.NoError(t, err)
	require.NoError(t, again.Close())
}

func TestSecondOpenIsRefused(t *testing.T) {
	both(t, func(t *testing.T, kind string) {
		o := options(t.TempDir(), kind)
		open(t, o)
		_, err := Open(o)
		require.ErrorIs(t, err, ErrLocked)
		_, err = Reset(o.Dir)
		require.ErrorIs(t, err, ErrLocked)
	})
}

func TestResetKeepsOneOldFolder(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "group")
	moved, err := Reset(dir)
	require.NoError(t, err)
	require.Empty(t, moved, "there was nothing to move")

	require.NoError(t, os.MkdirAll(filepath.Join(parent, "group.old-x"), 0o750)) // somebody else's
	for _, want := range []string{"group.old-1", "group.old-2", "group.old-3"} {
		s := open(t, options(dir, LogStoreBolt))
		fill(t, s, 1, 3)
		require.NoError(t, s.Close())
		moved, err = Reset(dir)
		require.NoError(t, err)
		require.Equal(t, filepath.Join(parent, want), moved)
		left, err := filepath.Glob(filepath.Join(parent, "*"))
		require.NoError(t, err)
		require.ElementsMatch(t, []string{moved, filepath.Join(parent, "group.old-x")}, left)
	}
	// What was moved aside can still be read.
	requireEntries(t, open(t, options(moved, LogStoreBolt)).Log(), 1, 3)
}
