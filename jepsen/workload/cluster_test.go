package workload_test

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/jepsen/check"
	"github.com/ferrymq/ferrymq/jepsen/history"
	"github.com/ferrymq/ferrymq/jepsen/sim"
	"github.com/ferrymq/ferrymq/jepsen/workload"
)

const (
	// traffic is how long a workload runs, in the bubble's time.
	traffic = 10 * time.Second
	// settle is what hashicorp/raft's transport needs to give up a connection
	// attempt by itself; no goroutine may outlive the bubble.
	settle = 30 * time.Second
)

// play runs a workload on a healthy cluster in memory and returns its history.
// meanwhile, which may be nil, runs beside it.
func play(t *testing.T, w workload.Workload, rate float64, meanwhile func(*sim.World)) *history.Run {
	world := sim.NewWorld(slog.New(slog.DiscardHandler), "a", "b", "c")
	for _, h := range world.Hosts {
		require.NoError(t, h.Start())
	}
	net := world.Network.Host("clients").Dial
	e := &workload.Env{
		Dial: func(ctx context.Context, i int, opts ...client.Option) (*client.Conn, error) {
			return client.Dial(ctx, world.URL(i), append([]client.Option{client.WithDialer(net)}, opts...)...)
		},
		Net: net, Recorder: history.NewRecorder(), Rand: rand.New(rand.NewPCG(1, 2)), Rate: rate,
	}
	run := &history.Run{Began: e.Recorder.Began(), Nodes: []string{"a", "b", "c"}}
	require.NoError(t, w.Setup(t.Context(), e))
	ctx, cancel := context.WithTimeout(t.Context(), traffic)
	defer cancel()
	if meanwhile != nil {
		go meanwhile(world)
	}
	require.NoError(t, w.Run(ctx, e))
	run.Stopped = e.Recorder.Now()
	ctx, cancel = context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	require.NoError(t, w.Drain(ctx, e))
	run.Drained = e.Recorder.Now()
	for _, h := range world.Hosts {
		run.Replicas = append(run.Replicas, replica(t, h.Name, h.Addr(), client.WithDialer(net)))
	}
	for _, h := range world.Hosts {
		require.NoError(t, h.Stop())
	}
	run.Ended, run.Ops = e.Recorder.Now(), e.Recorder.Ops()
	require.Zero(t, e.Recorder.Counts().Open)
	time.Sleep(settle) // in the bubble: it passes at once
	return run
}

// replica is what one node says of its queues by itself. All have heard by now
// of what is committed.
func replica(t *testing.T, node, addr string, dialer client.Option) history.Replica {
	time.Sleep(time.Second)
	conn, err := client.Dial(t.Context(), "ferry://"+addr, dialer, client.WithFollowLeader(false))
	require.NoError(t, err)
	defer conn.Close()
	r := history.Replica{Node: node}
	for q, err := range conn.Queues(t.Context(), "", client.Stale()) {
		require.NoError(t, err)
		r.Queues = append(r.Queues, history.Queue{
			Name: q.Name, Incarnation: q.Incarnation, Ready: q.Ready, Leased: q.Leased, Parked: q.Parked,
			Published: q.Published, Acked: q.Acked, Dead: q.Dead, Purged: q.Purged,
		})
	}
	return r
}

// Every workload, without a fault, is found valid by all its checkers, which
// see enough.
func TestWorkloadsOnAHealthyCluster(t *testing.T) {
	for _, w := range workload.All() {
		t.Run(w.Name(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				run := play(t, w, workload.FullRate, nil)
				t.Log(tally(run))
				for _, c := range w.Checkers(1) {
					v := c.Check(run)
					t.Log(v.String())
					require.Equal(t, check.Valid, v.Result)
				}
			})
		})
	}
}

// tally counts operations by kind and outcome.
func tally(run *history.Run) map[string]int {
	n := map[string]int{}
	for _, o := range run.Ops {
		n[string(o.Kind)+" "+o.Outcome.String()+" "+o.Code]++
	}
	return n
}
