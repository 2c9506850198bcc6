//go:build linux

package jepsen

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/jepsen/check"
	"github.com/ferrymq/ferrymq/jepsen/history"
	"github.com/ferrymq/ferrymq/jepsen/workload"
)

// The phases of a run, besides the faults' own time.
const (
	startsIn    = 30 * time.Second // a cluster without faults
	warmUp      = 1 * time.Second  // traffic before the first fault
	warmMin     = 200              // confirmed messages before the first fault: it needs something to hurt
	healsIn     = 30 * time.Second // the cluster whole after the last fault
	aftermath   = 2 * time.Second  // traffic after healing
	settlesIn   = 40 * time.Second // every operation with its outcome
	drainsIn    = 40 * time.Second // every queue empty
	agreesIn    = 20 * time.Second // all replicas at one index
	stopsIn     = 20 * time.Second // a node after SIGTERM
	runPatience = 3 * time.Minute  // all of that
)

// conduct carries a run through its phases, as far as it comes.
func (a *arena) conduct(n nemesis, loads []workload.Workload) (*history.Run, check.Verdict, error) {
	run := &history.Run{Seed: a.seed, Nemesis: n.name, Began: a.rec.Began(), Nodes: names(a.machines)}
	agreement, err := a.phases(n, loads, run)
	run.Ops, run.Faults, run.Ended = a.rec.Ops(), a.faults, a.rec.Now()
	if err != nil {
		a.tell("failed: %v", err)
	}
	return run, agreement, err
}

func (a *arena) phases(n nemesis, loads []workload.Workload, run *history.Run) (agreement check.Verdict, err error) {
	envs := a.environments(loads)
	for i, w := range loads {
		if err := bounded(a.ctx, startsIn, func(ctx context.Context) error { return w.Setup(ctx, envs[i]) }); err != nil {
			return agreement, fmt.Errorf("set up %s: %w", w.Name(), err)
		}
	}
	probing := startProber(a.ctx, a.rec, a.urls())
	err = a.untilDrained(n, loads, envs, run)
	run.Probes = probing.end()
	if err != nil {
		return agreement, err
	}
	a.enter("reading logs")
	if err := bounded(a.ctx, stopsIn, a.stopNodes); err != nil {
		return agreement, err
	}
	run.Log, agreement, err = a.committed(a.ctx, run.Replicas)
	return agreement, err
}

// untilDrained is what happens while nodes serve.
func (a *arena) untilDrained(n nemesis, loads []workload.Workload, envs []*workload.Env, run *history.Run) error {
	if err := a.traffic(n, loads, envs, run); err != nil {
		return err
	}
	a.enter("draining")
	if err := a.drain(loads, envs); err != nil {
		return err
	}
	run.Drained = a.rec.Now()
	return bounded(a.ctx, agreesIn, func(ctx context.Context) (err error) {
		if run.Replicas, err = replicas(ctx, a.urls()); err != nil {
			err = fmt.Errorf("the replicas do not agree on an end: %w", err)
		}
		return err
	})
}

// enter notes that a phase begins.
func (a *arena) enter(phase string) {
	a.phase(phase)
	a.tell("%s", phase)
}

// traffic is the part of a run in which clients work: before, under and after
// the faults.
func (a *arena) traffic(n nemesis, loads []workload.Workload, envs []*workload.Env, run *history.Run) error {
	work := startCrew(a.ctx, loads, envs)
	a.crew = work
	a.enter("warming up")
	err := a.warm()
	if err == nil {
		a.enter("hurting")
		err = a.hurt(n)
	}
	a.enter("healing")
	err = errors.Join(err, bounded(a.ctx, healsIn, a.heal))
	run.Healed = a.rec.Now()
	a.wait(a.ctx, aftermath)
	a.enter("ending")
	run.Stopped = a.rec.Now()
	return errors.Join(err, work.stop(settlesIn))
}

// bounded runs f with a bound of its own.
func bounded(ctx context.Context, within time.Duration, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	return f(ctx)
}

// crew is the workloads at work.
type crew struct {
	cancel context.CancelFunc
	ended  chan struct{}
	errs   []error // read after ended
}

func startCrew(ctx context.Context, loads []workload.Workload, envs []*workload.Env) *crew {
	c := &crew{ended: make(chan struct{}), errs: make([]error, len(loads))}
	ctx, c.cancel = context.WithCancel(ctx)
	var all sync.WaitGroup
	for i, w := range loads {
		all.Go(func() {
			if err := w.Run(ctx, envs[i]); err != nil {
				c.errs[i] = fmt.Errorf("workload %s: %w", w.Name(), err)
			}
		})
	}
	go func() {
		all.Wait()
		close(c.ended)
	}()
	return c
}

var errNoEnd = errors.New("the workloads have not ended")

// stop ends the workloads and waits until every operation has its outcome.
func (c *crew) stop(within time.Duration) error {
	c.cancel()
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case <-c.ended:
		return errors.Join(c.errs...)
	case <-timer.C:
		return fmt.Errorf("%w %v after being told to", errNoEnd, within)
	}
}

// drain empties all queues, those of different workloads at once.
func (a *arena) drain(loads []workload.Workload, envs []*workload.Env) error {
	errs := make([]error, len(loads))
	var all sync.WaitGroup
	for i, w := range loads {
		all.Go(func() {
			if err := bounded(a.ctx, drainsIn, func(ctx context.Context) error { return w.Drain(ctx, envs[i]) }); err != nil {
				errs[i] = fmt.Errorf("drain %s: %w", w.Name(), err)
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// heartbeat of the clients: short, so that they leave a node that is paused or
// cut off long before a fault that stays is judged.
const heartbeat = 400 * time.Millisecond

// environments gives each workload its share of the rate and a random source
// of its own.
func (a *arena) environments(loads []workload.Workload) []*workload.Env {
	var envs []*workload.Env
	for i := range loads {
		envs = append(envs, &workload.Env{
			Dial: func(ctx context.Context, i int, opts ...client.Option) (*client.Conn, error) {
				opts = append([]client.Option{client.WithHeartbeat(heartbeat)}, opts...)
				return a.clients.dial(ctx, a.cluster.URL(i), opts...)
			},
			Recorder: a.rec,
			Rand:     rand.New(rand.NewPCG(a.seed, uint64(i)+1)),
			Rate:     a.o.Rate / float64(len(loads)),
		})
	}
	return envs
}
