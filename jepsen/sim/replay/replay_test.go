package replay

import (
	"bytes"
	"context"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	_ "github.com/ferrymq/ferrymq/jepsen/sim" // whose change makes this test run again
)

const (
	seed   = 5
	length = 5 * time.Second
)

// TestSameSeedSameTrace holds what replaying rests on. The player is a program
// of its own: under the race detector it takes ten times as long, and it has
// no threads that could race.
func TestSameSeedSameTrace(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	player := filepath.Join(t.TempDir(), "play")
	build, err := exec.CommandContext(ctx, "go", "build", "-o", player, "./play").CombinedOutput()
	require.NoError(t, err, string(build))
	play := func(seed uint64) string {
		var said bytes.Buffer
		c := exec.CommandContext(ctx, player, "-seed", strconv.FormatUint(seed, 10), "-length", length.String(), "-only", "work")
		c.Stderr = &said
		trace, err := c.Output()
		require.NoError(t, err, "seed %d: %s\n%s", seed, said.String(), trace)
		t.Logf("seed %d: %s", seed, said.String())
		return string(trace)
	}
	first := play(seed)
	require.Greater(t, bytes.Count([]byte(first), []byte("\n")), 50, "a trace without events compares nothing")
	require.Equal(t, first, play(seed))
	require.NotEqual(t, first, play(seed+1))
}
