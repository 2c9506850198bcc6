package jepsen

import (
	"context"
	"flag"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/jepsen/nodes"
)

var trafficTime = flag.Duration("traffic", 20*time.Second, "how long the end-to-end test keeps up traffic")

// hurtful is under way whenever a process is killed.
var hurtful = Moment{Unconfirmed: 100, Held: 100}

func ordinary(queue string) Workload {
	return Workload{
		Queue: queue, Producers: 4, Consumers: 4, BodyBytes: 256,
		Burst: 100, Every: 100 * time.Millisecond, Hold: 100 * time.Millisecond, NackEvery: 500,
	}
}

// Four producers and four consumers on different nodes; the leader is killed
// twice, a follower once, each started again, and then all three at once. No
// confirmed message is lost, and none comes twice without being flagged.
func TestNothingConfirmedIsLost(t *testing.T) {
	h := NewHistory()
	s := start(t, nodes.Options{})
	require.NoError(t, s.admin.CreateQueue(s.ctx, "work", client.QueueSettings{}))
	began := time.Now()
	traffic, err := StartTraffic(s.ctx, s.cluster, ordinary("work"), h)
	require.NoError(t, err)

	share := *trafficTime / 6
	for i, victims := range []func(s *stage) []*nodes.Node{leader, follower, leader, everybody} {
		<-time.After(time.Until(began.Add(time.Duration(i+1) * share)))
		nodes := victims(s)
		h.ResetGap()
		underWay, err := h.Await(s.ctx, hurtful)
		require.NoError(t, err)
		s.kill(nodes)
		killed := time.Now()
		h.Mark()
		if len(nodes) == 1 {
			require.NoError(t, h.AwaitMarked(s.ctx), "a majority was left")
		}
		s.restart(nodes)
		require.NoError(t, h.AwaitMarked(s.ctx))
		t.Logf("killed %s with %d unconfirmed and %d held: whole again after %v, gap %v", namesOf(nodes),
			underWay.Unconfirmed, underWay.Held, time.Since(killed).Round(time.Millisecond),
			h.Widest().Length().Round(time.Millisecond))
	}
	<-time.After(time.Until(began.Add(*trafficTime)))
	s.finish(h, traffic, "work", Floors{Confirmed: 50_000, Delivered: 50_000, Acked: 50_000, Redelivered: 50})
}

// finish stops the traffic, drains the queue and judges the history.
func (s *stage) finish(h *History, traffic *Traffic, queue string, floors Floors) {
	s.t.Helper()
	require.NoError(s.t, traffic.StopProducing())
	info, err := h.Drained(s.ctx, s.admin, queue)
	require.NoError(s.t, err)
	require.NoError(s.t, traffic.StopConsuming())
	account := Judge(h, floors)
	s.t.Log(account.String())
	require.NoError(s.t, account.Err())
	require.NoError(s.t, account.Conserved(info))
	s.sameEverywhere()
}

// sameEverywhere waits until every replica has applied what the leader had,
// and compares their digests.
func (s *stage) sameEverywhere() {
	s.t.Helper()
	s.await(func() bool {
		digests := map[string]bool{}
		var applied uint64
		for i, n := range s.cluster.Nodes() {
			info, err := s.local[n.Name].Cluster(s.ctx, client.Stale())
			if err != nil || len(info.Groups) == 0 || info.Node != n.Name {
				return false
			}
			g := info.Groups[0]
			if i > 0 && g.AppliedIndex != applied {
				return false
			}
			applied = g.AppliedIndex
			digests[g.Digest] = true
		}
		require.Len(s.t, digests, 1, "replicas differ at index %d", applied)
		return true
	}, "all replicas at one index")
}

// A minority of one node refuses to publish, with a typed error and in time,
// and confirms nothing. When the others are back, so is the cluster.
func TestMinorityRefusesWrites(t *testing.T) {
	s := start(t, nodes.Options{})
	require.NoError(t, s.admin.CreateQueue(s.ctx, "minority", client.QueueSettings{}))
	survivor := s.cluster.Nodes()[0]
	conn := s.dial("ferry://"+survivor.Addr, client.WithFollowLeader(false))
	_, err := conn.Publish(s.ctx, "minority", client.Message{Body: []byte("before")})
	require.NoError(t, err)

	others := s.cluster.Nodes()[1:]
	s.kill(others)
	for range 3 {
		const deadline = 1500 * time.Millisecond
		ctx, cancel := context.WithTimeout(s.ctx, deadline)
		asked := time.Now()
		_, err := conn.Publish(ctx, "minority", client.Message{Body: []byte("during")})
		cancel()
		took := time.Since(asked)
		require.Error(t, err, "a minority confirmed a publish")
		var typed *client.Error
		require.ErrorAs(t, err, &typed)
		require.True(t, refusal(err), "unclear: %v", err)
		require.Less(t, took, deadline+time.Second)
		t.Logf("refused after %v: %v", took.Round(time.Millisecond), err)
	}

	s.restart(others)
	s.await(func() bool {
		_, err := conn.Publish(s.ctx, "minority", client.Message{Body: []byte("after")})
		return err == nil
	}, "a publish after healing")
	s.sameEverywhere()
}
