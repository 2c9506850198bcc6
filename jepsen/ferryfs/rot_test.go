//go:build linux

package ferryfs

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestRot flips bits where there is data, of the file that is meant, with the
// power on and off, and what it says is what it did.
func TestRot(t *testing.T) {
	f := mounted(t, Options{})
	require.NoError(t, os.Mkdir(f.at("d"), 0o755))
	text := strings.Repeat("\x00", 1<<20) + "data" + strings.Repeat("\x00", 1<<20)
	put(t, f, "d/a.wal", text, true, true)
	put(t, f, "zeros", strings.Repeat("\x00", 5000), true, true)
	file := open(t, f, "d/a.wal")
	buf := make([]byte, len(text))
	_, err := file.ReadAt(buf, 0)
	require.NoError(t, err)

	for i, off := range []bool{false, true} {
		if off {
			f.Freeze()
		}
		before := []byte(tree(t, f.Backing())["d/a.wal"])
		flipped, err := f.Rot(Rot{Path: "*.wal", Bits: 3, Seed: uint64(i)})
		require.NoError(t, err)
		require.Len(t, flipped, 3)
		for _, r := range flipped {
			require.Equal(t, "d/a.wal", r.Path)
			require.Equal(t, int64(1<<20/sectorBytes), r.Offset/sectorBytes)
			require.Equal(t, before[r.Offset], r.Was)
			require.NotEqual(t, r.Was, r.Is)
			before[r.Offset] = r.Is
			require.Contains(t, r.String(), "d/a.wal at ")
		}
		f.PowerOn()
		requireTree(t, f, map[string]string{"d/": "", "d/a.wal": string(before), "zeros": strings.Repeat("\x00", 5000)})
		_, err = file.ReadAt(buf, 0)
		require.NoError(t, err)
		require.Equal(t, before, buf, "also for who had read it before")
	}
	require.EqualValues(t, 6, f.Counters().Rotten)
	flipped, err := f.Rot(Rot{Seed: 3})
	require.NoError(t, err)
	require.Len(t, flipped, 1)
	require.Equal(t, "d/a.wal", flipped[0].Path, "the only one with data")
	for _, pattern := range []string{"zeros", "none"} {
		_, err = f.Rot(Rot{Path: pattern})
		require.ErrorIs(t, err, ErrNothingToRot)
	}
	_, err = f.Rot(Rot{Path: "["})
	require.Error(t, err)
}

func TestRotOfShortFile(t *testing.T) {
	f := mounted(t, Options{})
	put(t, f, "a", "x", true, true)
	flipped, err := f.Rot(Rot{Bits: 5})
	require.NoError(t, err)
	require.Len(t, flipped, 1, "there is one byte")
}
