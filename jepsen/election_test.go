//go:build linux && long

package jepsen

import (
	"flag"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ferrymq/ferrymq/jepsen/nodes"
)

var (
	electionWatch = flag.Duration("election-watch", 10*time.Minute, "how long a busy cluster is watched")
	electionBusy  = flag.Int("election-busy", 16, "threads that keep the machine busy meanwhile")
)

// With every core busy and 5,000 publishes a second, no term changes.
func TestNoFalseElection(t *testing.T) {
	s := startFor(t, nodes.Options{}, stageMax+*electionWatch)
	x := s.traffic(5000)
	_, group, err := s.cluster.Leader(s.ctx, s.admin)
	require.NoError(t, err)

	var busy []nodes.Process
	for range *electionBusy {
		p, err := nodes.StartProcess("busy", "/bin/sh", []string{"-c", "while :; do :; done"}, filepath.Join(t.TempDir(), "busy.log"))
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, p.Kill()) })
		busy = append(busy, p)
	}
	began := time.Now()
	for time.Since(began) < *electionWatch {
		<-time.After(time.Second)
		_, now, err := s.cluster.Leader(s.ctx, s.admin)
		require.NoError(t, err)
		require.Equal(t, group.Term, now.Term, "the term changed after %v", time.Since(began))
	}
	rate := float64(x.confirmed()) / time.Since(began).Seconds()
	t.Logf("%v with %d busy threads: term %d throughout, %.0f confirms a second, widest gap %v",
		*electionWatch, *electionBusy, group.Term, rate, x.rec.Gap())
	for _, p := range busy {
		require.NoError(t, p.Kill()) // judging takes long enough without them
	}
	x.finish(int(4500 * electionWatch.Seconds()))
}
