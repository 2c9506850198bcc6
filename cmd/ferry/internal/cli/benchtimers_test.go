package cli

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTimersBesideALoad: the benchmark with three processes, in short: every
// timer arrives once and none early. How late is bounded only so far that it
// holds on a machine that does other things besides.
func TestTimersBesideALoad(t *testing.T) {
	t.Setenv("FERRY_TEST_IS_PROGRAM", "1") // of the processes that it starts
	r := ferry(t, nil, "", "bench", "timers", "--data", t.TempDir(),
		"--n", "8000", "--window", "4s", "--rate", "300", "--limit", patience)
	require.Equal(t, ExitOK, r.code, r.err)
	require.Regexp(t, `(?m)^timers: due=8000 lost=0 early=0 repeated=0 p50=\S+ p90=\S+ p99=\S+ p99.9=\S+ max=\S+ background=\d+/s ok\n\z`, r.out)
}
