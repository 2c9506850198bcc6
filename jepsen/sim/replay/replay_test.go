package replay

import (
	"bytes"
	"context"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
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
		if err != nil {
			t.Errorf("seed %d: %v: %s\n%s", seed, err, said.String(), trace)
		}
		t.Logf("seed %d: %s", seed, said.String())
		return string(trace)
	}
	first := play(seed) // fills the cache of what is compiled
	require.Greater(t, strings.Count(first, "\n"), 50, "a trace without events compares nothing")
	var others [2]string
	var runs sync.WaitGroup
	for i := range others {
		runs.Go(func() { others[i] = play(seed + uint64(i)) })
	}
	runs.Wait()
	require.Equal(t, first, others[0])
	require.NotEqual(t, first, others[1])
}
