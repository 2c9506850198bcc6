package jepsen

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/jepsen/nodes"
)

// A node that is paused for longer than its deadline for the disk, with writes
// under way, goes on when it is let to: it must not take its own absence for a
// disk that hangs.
func TestPausedNodeGoesOn(t *testing.T) {
	s := start(t, nodes.Options{Args: []string{"--store-deadline", "1s"}})
	require.NoError(t, s.admin.CreateQueue(s.ctx, "paused", client.QueueSettings{}))
	h := NewHistory()
	traffic, err := StartTraffic(s.ctx, s.cluster, ordinary("paused"), h)
	require.NoError(t, err)
	for range 4 {
		before := h.Counts().Confirmed
		require.NoError(t, h.AwaitConfirmed(s.ctx, before+1000))
		n := follower(s)[0]
		require.NoError(t, n.Process().Pause())
		<-time.After(1300 * time.Millisecond)
		require.NoError(t, n.Process().Resume())
		require.NoError(t, s.cluster.Settled(s.ctx, s.admin))
		require.True(t, n.Running(), "%s ended: %s", n.Name, n.Tail())
	}
	s.finish(h, traffic, "paused", Floors{Confirmed: 4000, Delivered: 4000, Acked: 4000})
}
