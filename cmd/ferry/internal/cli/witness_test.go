package cli

import (
	"context"
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/jepsen/check"
	"github.com/ferrymq/ferrymq/jepsen/history"
	"github.com/ferrymq/ferrymq/jepsen/witness"
	"github.com/ferrymq/ferrymq/jepsen/workload"
)

// TestWitnessOfANode: what the clients of all workloads saw of a real node that
// was killed twice, and its log as `ferry log dump` prints it afterwards, fit
// together.
func TestWitnessOfANode(t *testing.T) {
	o := newOneNode(t)
	p := o.start(t)
	r := history.NewRecorder()
	finish := startWorkloads(t, o, r)
	for range 2 {
		awaitSettles(t, r, settlesBetween)
		require.NoError(t, p.cmd.Process.Kill())
		require.Equal(t, -1, p.exit(t))
		p = o.start(t)
	}
	awaitSettles(t, r, settlesBetween)
	finish()
	run := &history.Run{Replicas: []history.Replica{replicaOf(t, o)}, Ops: r.Ops(), Ended: r.Now()}
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM))
	require.Equal(t, ExitOK, p.exit(t), p.err.String())

	dumped := ferry(t, nil, "", "log", "dump", "--data", o.args[4])
	require.Equal(t, ExitOK, dumped.code, dumped.err)
	var err error
	run.Log, err = witness.ReadLog(strings.NewReader(dumped.out))
	require.NoError(t, err)
	v := witness.Checker{Operations: 500, Deliveries: 200, Indexes: 200}.Check(run)
	t.Log(v, v.Notes)
	require.Equal(t, check.Valid, v.Result, v)
	v = witness.Lock{Workload: "fencing", Operations: 40, Windows: 3}.Check(run)
	t.Log(v, v.Notes)
	require.Equal(t, check.Valid, v.Result, v)
}

// settlesBetween is how much the workloads get done from one kill to the next,
// in about two seconds.
const settlesBetween = 600

func awaitSettles(t *testing.T, r *history.Recorder, more int64) {
	t.Helper()
	enough := r.Counts().Settled + more
	require.Eventually(t, func() bool { return r.Counts().Settled >= enough }, time.Minute, 10*time.Millisecond)
}

// startWorkloads runs all of them until finish, which drains the queues.
func startWorkloads(t *testing.T, o *oneNode, r *history.Recorder) (finish func()) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	working, stop := context.WithCancel(ctx)
	loads := workload.Core()
	worked := make(chan error, len(loads))
	var drains []func() error
	for i, w := range loads {
		e := &workload.Env{
			Dial: func(ctx context.Context, _ int, opts ...client.Option) (*client.Conn, error) {
				return client.Dial(ctx, o.url, opts...)
			},
			Recorder: r, Rand: rand.New(rand.NewPCG(1, uint64(i))), Rate: 100,
		}
		require.NoError(t, w.Setup(ctx, e))
		go func() { worked <- w.Run(working, e) }()
		drains = append(drains, func() error { return w.Drain(ctx, e) })
	}
	return func() {
		stop()
		for range loads {
			require.NoError(t, <-worked)
		}
		for _, drain := range drains {
			require.NoError(t, drain())
		}
	}
}

func replicaOf(t *testing.T, o *oneNode) history.Replica {
	t.Helper()
	conn, err := client.Dial(t.Context(), o.url)
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close()) }()
	var r history.Replica
	for {
		before, err := conn.Cluster(t.Context())
		require.NoError(t, err)
		r = history.Replica{Node: before.Node, Applied: before.Groups[0].AppliedIndex}
		for q, err := range conn.Queues(t.Context(), "") {
			require.NoError(t, err)
			r.Queues = append(r.Queues, workload.QueueOf(q))
		}
		after, err := conn.Cluster(t.Context())
		require.NoError(t, err)
		if after.Groups[0].AppliedIndex == r.Applied {
			return r
		}
	}
}
