package store

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A process that dies between the commit of an installed snapshot and the
// deletion of the log that it replaces must be able to go on after it.
func TestCrashAfterAnInstalledSnapshot(t *testing.T) {
	both(t, func(t *testing.T, kind string) {
		o := options(t.TempDir(), kind)
		s := open(t, o)
		fill(t, s, 1, 10)
		snapshot(t, s, 20, 3)
		o.Dir = crash(t, o.Dir)
		s = open(t, o)
		require.NoError(t, s.Log().StoreLogs(entries(21, 30)))
		require.EqualValues(t, 30, lastOf(t, s))
		require.NoError(t, s.Close())
		s = open(t, o)
		require.EqualValues(t, 30, lastOf(t, s))
	})
}

func lastOf(t *testing.T, s *Store) uint64 {
	t.Helper()
	last, err := s.Log().LastIndex()
	require.NoError(t, err)
	return last
}
