//go:build linux

package jepsen

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ferrymq/ferrymq/jepsen/nodes"
)

// A node that is paused for longer than its deadline for the disk, with writes
// under way, goes on when it is let to: it must not take its own absence for a
// disk that hangs.
func TestPausedNodeGoesOn(t *testing.T) {
	// More than a disk takes that others keep busy, and less than the pause.
	const deadline = 5 * time.Second
	s := start(t, nodes.Options{Args: []string{"--store-deadline", deadline.String()}})
	x := s.traffic(4000)
	for range 3 {
		x.awaitConfirmed(1000)
		n := s.follower()
		healed := x.hurt("pause", n, false)
		require.NoError(t, n.Process().Pause())
		<-time.After(deadline + 300*time.Millisecond)
		require.NoError(t, n.Process().Resume())
		require.NoError(t, s.cluster.Settled(s.ctx, s.admin))
		require.True(t, n.Running(), "%s ended: %s", n.Name, n.Tail())
		healed()
	}
	x.finish(4000)
}
