package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The services are this program again.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "service" {
		if err := command(os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// A short show: real nodes and services, an outage, a killed leader, and books
// that balance.
func TestShow(t *testing.T) {
	ferry := ferryProgram(t)
	self, err := os.Executable()
	require.NoError(t, err)
	var out bytes.Buffer
	v, err := run(t.Context(), options{
		ferry: ferry, self: self, seed: 1, count: 120, length: 2 * time.Second, out: &out,
		copies: 1, paymentRate: 100, story: shortStory(),
		away: 500 * time.Millisecond, outage: 200 * time.Millisecond, impatient: true, patience: time.Minute,
	})
	t.Log(out.String())
	require.NoError(t, err)
	require.Empty(t, v.faults)
	require.Equal(t, 120, v.placed)
	require.Equal(t, v.placed, v.shipped+v.dead)
	require.NotZero(t, v.dead)
	require.Positive(t, v.effects.refusals)
}

// shortStory is what fits into a test.
func shortStory() []scene {
	return []scene{
		{15, (*show).mailOutage},
		{50, (*show).killLeader},
	}
}

// ferryProgram builds it, unless FERRY_BINARY names one.
func ferryProgram(t *testing.T) string {
	if path := os.Getenv("FERRY_BINARY"); path != "" {
		return path
	}
	path := filepath.Join(t.TempDir(), "ferry")
	text, err := exec.CommandContext(t.Context(), "go", "build", "-o", path, "github.com/ferrymq/ferrymq/cmd/ferry").CombinedOutput()
	require.NoError(t, err, "%s", text)
	return path
}
