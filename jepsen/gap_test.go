//go:build linux

package jepsen

import (
	"flag"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ferrymq/ferrymq/jepsen/nodes"
)

var gapKills = flag.Int("gap-kills", 3, "leaders that the gap test kills")

// What users are promised about the time without confirms when a leader dies.
const (
	gapMedian = time.Second
	gapMax    = 2500 * time.Millisecond

	// gapKillsMin is how many kills gaps are worth judging of. With fewer they
	// come beside other tests on the same cores: only what is lost is judged.
	gapKillsMin = 10
	// gapConfirms come before each kill.
	gapConfirms = 2000
)

// The gap is from the last confirm before to the first confirm after the kill,
// as the clients see it.
func TestGapAtLeaderKill(t *testing.T) {
	s := start(t, nodes.Options{})
	x := s.traffic(4000)
	var gaps []time.Duration
	for range *gapKills {
		x.awaitConfirmed(gapConfirms)
		victim := s.leader()
		x.rec.Gap()
		healed := x.hurt("kill", victim, true)
		s.kill(victim)
		x.awaitFresh()
		gap := x.rec.Gap()
		gaps = append(gaps, gap)
		t.Logf("killed %s: gap %v", victim.Name, gap.Round(time.Millisecond))
		s.restart(victim)
		healed()
	}
	x.finish(gapConfirms * *gapKills)

	slices.Sort(gaps)
	median := gaps[len(gaps)/2]
	t.Logf("%d kills: median %v, longest %v", len(gaps), median, gaps[len(gaps)-1])
	if len(gaps) >= gapKillsMin {
		require.Less(t, median, gapMedian)
		require.LessOrEqual(t, gaps[len(gaps)-1], gapMax)
	}
}
