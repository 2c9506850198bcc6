package store

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// A replica whose folder was emptied, or whose disk is not mounted, must not
// come back as a new one under its old name.
func TestAllStoresGone(t *testing.T) {
	both(t, func(t *testing.T, kind string) {
		o := options(t.TempDir()+"/group", kind)
		s := open(t, o)
		fill(t, s, 1, 3)
		require.NoError(t, s.Close())
		o.Existing = true
		require.NoError(t, open(t, o).Close())

		require.NoError(t, os.RemoveAll(o.Dir))
		for range 2 { // the refusal leaves nothing that looks like stores
			_, err := Open(o)
			require.ErrorIs(t, err, ErrForgotten)
		}
		o.Existing = false
		open(t, o)
	})
}
