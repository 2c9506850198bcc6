package workload_test

import (
	"context"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/jepsen/check"
	"github.com/ferrymq/ferrymq/jepsen/history"
	"github.com/ferrymq/ferrymq/jepsen/nodes"
	"github.com/ferrymq/ferrymq/jepsen/workload"
)

const (
	traffic = 5 * time.Second
	rate    = 60 // messages a second of each workload
)

// All workloads at once, on a cluster of real processes that nothing befalls,
// are found valid by all their checkers, which see enough.
func TestWorkloadsOnAHealthyCluster(t *testing.T) {
	c, err := nodes.NewCluster(nodes.Options{Binary: ferry(t), Dir: t.TempDir()})
	require.NoError(t, err)
	defer func() { require.NoError(t, c.Close()) }()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	require.NoError(t, c.Start(ctx))

	all := workload.All()
	run := work(ctx, t, c, all)
	require.False(t, t.Failed())
	for _, w := range all {
		for _, k := range w.Checkers(traffic.Seconds() / 10 * rate / workload.FullRate) {
			v := k.Check(run)
			t.Log(v.String())
			require.Equal(t, check.Valid, v.Result)
		}
	}
}

// ferry builds the program, unless FERRY_BINARY names one.
func ferry(t *testing.T) string {
	if path := os.Getenv("FERRY_BINARY"); path != "" {
		return path
	}
	path := filepath.Join(t.TempDir(), "ferry")
	text, err := exec.Command("go", "build", "-o", path, "github.com/ferrymq/ferrymq/cmd/ferry").CombinedOutput()
	require.NoError(t, err, string(text))
	return path
}

// work has the workloads set up, run and drain, each in its own time.
func work(ctx context.Context, t *testing.T, c *nodes.Cluster, all []workload.Workload) *history.Run {
	rec := history.NewRecorder()
	run := &history.Run{Began: rec.Began()}
	var working sync.WaitGroup
	for i, w := range all {
		e := &workload.Env{
			Dial: func(ctx context.Context, i int, opts ...client.Option) (*client.Conn, error) {
				return client.Dial(ctx, c.URL(i), opts...)
			},
			Recorder: rec, Rand: rand.New(rand.NewPCG(1, uint64(i))), Rate: rate,
		}
		require.NoError(t, w.Setup(ctx, e))
		working.Go(func() {
			short, cancel := context.WithTimeout(ctx, traffic)
			defer cancel()
			if err := w.Run(short, e); err != nil {
				t.Errorf("run %s: %v", w.Name(), err)
			}
			if err := w.Drain(ctx, e); err != nil {
				t.Errorf("drain %s: %v", w.Name(), err)
			}
		})
	}
	working.Wait()
	run.Drained = rec.Now()
	require.Zero(t, rec.Counts().Open)
	committed := commitIndex(ctx, t, c)
	for _, n := range c.Nodes() {
		run.Replicas = append(run.Replicas, replica(ctx, t, n, committed))
	}
	run.Ops, run.Ended = rec.Ops(), rec.Now()
	return run
}

// commitIndex is of the leader, which every operation that was answered is at
// or before.
func commitIndex(ctx context.Context, t *testing.T, c *nodes.Cluster) uint64 {
	conn, err := client.Dial(ctx, c.URL(0))
	require.NoError(t, err)
	defer conn.Close()
	info, err := conn.Cluster(ctx)
	require.NoError(t, err)
	return info.Groups[0].CommitIndex
}

// replica is what one node says of its queues by itself, once it has applied
// all that was committed.
func replica(ctx context.Context, t *testing.T, n *nodes.Node, committed uint64) history.Replica {
	conn, err := client.Dial(ctx, "ferry://"+n.Addr, client.WithFollowLeader(false))
	require.NoError(t, err)
	defer conn.Close()
	caughtUp := func() bool {
		info, err := conn.Cluster(ctx, client.Stale())
		if err != nil || len(info.Groups) == 0 {
			return false
		}
		return info.Groups[0].AppliedIndex >= committed
	}
	require.Eventually(t, caughtUp, time.Minute, 10*time.Millisecond)
	r := history.Replica{Node: n.Name}
	for q, err := range conn.Queues(ctx, "", client.Stale()) {
		require.NoError(t, err)
		r.Queues = append(r.Queues, workload.QueueOf(q))
	}
	return r
}
