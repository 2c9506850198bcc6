//go:build linux

package jepsen

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/jepsen/check"
	"github.com/ferrymq/ferrymq/jepsen/history"
	"github.com/ferrymq/ferrymq/jepsen/nodes"
	"github.com/ferrymq/ferrymq/jepsen/workload"
)

// traffic is a plain workload at work on a stage, and the run that becomes of it.
type traffic struct {
	*stage
	rec  *history.Recorder
	load *workload.Plain
	env  *workload.Env
	crew *crew // nil: over
	run  history.Run
}

// traffic starts one that publishes about so many messages a second.
func (s *stage) traffic(rate float64) *traffic {
	s.t.Helper()
	x := &traffic{stage: s, rec: history.NewRecorder(), load: &workload.Plain{}}
	x.run.Began = x.rec.Began()
	x.env = &workload.Env{
		Dial: func(ctx context.Context, i int, opts ...client.Option) (*client.Conn, error) {
			return client.Dial(ctx, s.cluster.URL(i), opts...)
		},
		Recorder: x.rec, Rand: rand.New(rand.NewPCG(1, 1)), Rate: rate,
	}
	require.NoError(s.t, x.load.Setup(s.ctx, x.env))
	x.crew = startCrew(s.ctx, []workload.Workload{x.load}, []*workload.Env{x.env})
	s.t.Cleanup(x.abort)
	return x
}

// abort ends what a test that failed has left running.
func (x *traffic) abort() {
	if x.crew == nil {
		return
	}
	x.t.Logf("stopped: %v", x.crew.stop(settlesIn))
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	x.t.Logf("not drained: %v", x.load.Drain(ended, x.env))
}

// confirmed is how many publishes were confirmed so far.
func (x *traffic) confirmed() int64 { return x.rec.Counts().Confirmed }

// awaitConfirmed waits for so many confirms more.
func (x *traffic) awaitConfirmed(n int64) {
	x.t.Helper()
	n += x.confirmed()
	x.await(func() bool { return x.confirmed() >= n }, "confirms")
}

// awaitFresh waits until a publish is confirmed that began after the call:
// confirms that were on their way when a process died say nothing of those
// that come after it.
func (x *traffic) awaitFresh() {
	x.t.Helper()
	old := x.rec.Counts().Attempted
	x.await(func() bool { return x.confirmed() > old }, "a confirm of what was published since")
}

// hurt writes down that a node is hurt. The function it returns says that it
// is well again.
func (x *traffic) hurt(what string, n *nodes.Node, leads bool) (healed func()) {
	from := x.rec.Now()
	return func() {
		x.run.Faults = append(x.run.Faults, history.Fault{
			Name: what, Nodes: []string{n.Name}, From: from, To: x.rec.Now(), Leader: leads,
			Bites: []history.Bite{{What: what, Count: 1}},
		})
	}
}

// finish stops the traffic, drains the queue and judges the history, in which
// there have to be at least so many messages.
func (x *traffic) finish(least int) {
	x.t.Helper()
	x.run.Healed, x.run.Stopped = x.rec.Now(), x.rec.Now()
	require.NoError(x.t, x.crew.stop(settlesIn))
	x.crew = nil
	require.NoError(x.t, bounded(x.ctx, time.Minute, func(ctx context.Context) error { return x.load.Drain(ctx, x.env) }))
	x.run.Drained = x.rec.Now()
	x.run.Replicas = x.sameEverywhere()
	x.run.Ops, x.run.Ended = x.rec.Ops(), x.rec.Now()
	for _, v := range check.All(&x.run, x.load.Checkers(float64(least)/workload.PlainFloor)) {
		x.t.Log(v.String())
		assert.Equal(x.t, check.Valid, v.Result, v.Checker)
	}
}
