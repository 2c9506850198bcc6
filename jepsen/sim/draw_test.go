package sim

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A campaign of some hundred seeds leaves no kind of fault and no size out.
func TestSeedsDrawEverything(t *testing.T) {
	kinds, sizes := map[string]int{}, map[int]int{}
	for seed := range uint64(200) {
		d := newDraw(seed)
		sizes[d.nodes]++
		require.Equal(t, d.kinds[0].name, newDraw(seed).kinds[0].name, "a seed draws the same every time")
		for _, f := range d.kinds {
			require.LessOrEqual(t, f.nodes, d.nodes)
			kinds[f.name]++
		}
		require.GreaterOrEqual(t, len(d.kinds), 4)
	}
	require.Len(t, kinds, len(faults))
	for _, f := range faults {
		require.GreaterOrEqual(t, kinds[f.name], 10, f.name)
	}
	require.Greater(t, sizes[3], sizes[5])
	require.Greater(t, sizes[5], 20)
}
