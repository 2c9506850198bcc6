package jepsen

import (
	"flag"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/jepsen/nodes"
)

var gapKills = flag.Int("gap-kills", 3, "leaders that the gap test kills")

// What users are promised about the time without confirms when a leader dies.
const (
	gapMedian = time.Second
	gapMax    = 2500 * time.Millisecond

	// gapKillsMin is how many kills a median is worth judging of. With fewer,
	// beside other tests on the same cores, only the longest gap is.
	gapKillsMin = 10
)

// The gap is from the last confirm before to the first confirm after the kill,
// as the clients see it.
func TestGapAtLeaderKill(t *testing.T) {
	h := NewHistory()
	s := start(t, nodes.Options{})
	require.NoError(t, s.admin.CreateQueue(s.ctx, "gap", client.QueueSettings{}))
	w := ordinary("gap")
	w.Burst, w.Every = 10, 10*time.Millisecond // a confirm every few milliseconds
	traffic, err := StartTraffic(s.ctx, s.cluster, w, h)
	require.NoError(t, err)

	var gaps []time.Duration
	for range *gapKills {
		before := h.Counts().Confirmed
		require.NoError(t, h.AwaitConfirmed(s.ctx, before+2000))
		victims := leader(s)
		h.ResetGap()
		s.kill(victims)
		h.Mark()
		require.NoError(t, h.AwaitMarked(s.ctx))
		gap := h.Widest()
		gaps = append(gaps, gap.Length())
		t.Logf("killed %s: gap %v", namesOf(victims), gap.Length().Round(time.Millisecond))
		s.restart(victims)
	}
	s.finish(h, traffic, "gap", Floors{Confirmed: 2000 * *gapKills, Acked: 2000 * *gapKills})

	slices.Sort(gaps)
	median := gaps[len(gaps)/2]
	t.Logf("%d kills: median %v, longest %v", len(gaps), median, gaps[len(gaps)-1])
	if len(gaps) >= gapKillsMin {
		require.Less(t, median, gapMedian)
	}
	require.LessOrEqual(t, gaps[len(gaps)-1], gapMax)
}
