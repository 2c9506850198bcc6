package clock

import (
	"maps"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

func ownVDSO(t *testing.T) ([]byte, uint64) {
	t.Helper()
	memory, err := os.Open("/proc/self/mem")
	require.NoError(t, err)
	image, base, err := readVDSO(os.Getpid(), memory)
	require.NoError(t, err)
	require.NoError(t, memory.Close())
	return image, base
}

func TestThePatchStaysInTheFunctionsItReplaces(t *testing.T) {
	image, base := ownVDSO(t)
	old, err := functions(image, base, routine)
	require.NoError(t, err)
	p, err := plan(image, base, routine)
	require.NoError(t, err)
	require.Len(t, p.jumps, len(routine.entries))
	within := func(at, size uint64) bool {
		for _, f := range old {
			if f.at <= at && at+size <= f.at+f.size {
				return true
			}
		}
		return false
	}
	require.True(t, within(p.at, uint64(len(p.code))))
	require.Zero(t, (p.at+routine.slots)%8)
	for at := range p.jumps {
		require.True(t, within(at, jumpBytes))
		require.False(t, p.at < at+jumpBytes && at < p.at+uint64(len(p.code)), "a jump overwrites the routine")
	}
}

// A vDSO that we cannot patch whole is not patched at all.
func TestWhatDoesNotFitIsRefused(t *testing.T) {
	image, base := ownVDSO(t)
	large := routine
	large.bytes = make([]byte, len(image))
	_, err := plan(image, base, large)
	require.ErrorContains(t, err, "have room for")

	strange := routine
	strange.entries = maps.Clone(routine.entries)
	strange.entries["__vdso_sundial"] = 0
	_, err = plan(image, base, strange)
	require.ErrorContains(t, err, "has no __vdso_sundial")

	_, err = plan(image[:100], base, routine)
	require.ErrorContains(t, err, "read the vDSO")
}
