package sim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/jepsen/history"
	"github.com/ferrymq/ferrymq/jepsen/workload"
)

// Options of a run.
type Options struct {
	Seed   uint64
	Length time.Duration // of the time with faults; default 78 s
	Only   string        // the name of one workload; default: all
	Fault  string        // the name of the one kind of fault; default: those that the seed draws
	Trace  io.Writer     // gets the trace's lines; nil: nobody does
	Logger *slog.Logger  // of the product; nil: discarded
}

const (
	defaultLength = 78 * time.Second
	faultEvery    = 18 * time.Second // a fault begins at least as often
	warmUp        = 2 * time.Second
	aftermath     = 3 * time.Second
	wholeIn       = 60 * time.Second // after the last fault, or before one that costs a replica its data
	confirmsIn    = 30 * time.Second // after each fault
	settlesIn     = 90 * time.Second
	drainsIn      = 2 * time.Minute
	lastsAtMost   = 30 * time.Minute // a whole run
	// bubbleEnds is what hashicorp/raft's transport needs to give up a
	// connection attempt by itself; no goroutine may outlive the bubble.
	bubbleEnds = 30 * time.Second
)

// play is a run under way. Its fields are the goroutine's that runs it, but
// for what mu guards.
type play struct {
	*draw
	w      *World
	trace  *Trace
	rec    *history.Recorder
	ctx    context.Context
	faults []history.Fault
	probes []history.Probe
	run    history.Run
	loads  []workload.Workload

	mu sync.Mutex
}

// Run runs a whole cluster under the faults that a seed draws. It must be
// called in a bubble of testing/synctest, or under a clock that jumps: it
// sleeps for minutes.
func Run(o Options) Result {
	if o.Length == 0 {
		o.Length = defaultLength
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	ctx, cancel := context.WithTimeout(context.Background(), lastsAtMost)
	defer cancel()
	p := &play{draw: newDraw(o.Seed), trace: newTrace(o.Trace), rec: history.NewRecorder(), ctx: ctx}
	if o.Fault != "" {
		p.kinds = slices.DeleteFunc(slices.Clone(faults), func(f fault) bool { return f.name != o.Fault })
	}
	p.w = newWorld(p.draw, p.trace, o.Logger)
	p.loads = slices.DeleteFunc(workload.Core(), func(w workload.Workload) bool { return o.Only != "" && w.Name() != o.Only })
	p.run = history.Run{Seed: o.Seed, Nemesis: "swarm", Began: p.rec.Began()}
	for _, h := range p.w.Hosts {
		p.run.Nodes = append(p.run.Nodes, h.Name)
	}
	return p.result(p.all(o.Length), o.Length)
}

// all is every phase of a run.
func (p *play) all(length time.Duration) error {
	p.introduce()
	end := make(chan struct{})
	for _, h := range p.w.Hosts {
		go h.run(end)
	}
	each(p.w.Hosts, func(h *Host) { h.tell(func() { h.wanted = true }) })
	var person sync.WaitGroup
	home := make(chan struct{})
	person.Go(func() { p.operate(home) })
	err := p.phases(length)
	p.run.Ended = p.rec.Now()
	close(home)
	person.Wait()
	close(end)
	for _, h := range p.w.Hosts {
		<-h.gone
	}
	time.Sleep(bubbleEnds)
	return err
}

func (p *play) introduce() {
	var kinds []string
	for _, f := range p.kinds {
		kinds = append(kinds, f.name)
	}
	p.trace.Note("seed", "%d: %d nodes, links %v ± %v, fsync %v, snapshots at %d KiB, %.0f messages/s, faults %v", p.seed, p.nodes,
		p.calm.Delay.Round(time.Microsecond), p.calm.Jitter.Round(time.Microsecond), p.fsync.Round(time.Microsecond),
		p.group.SnapshotBytes>>10, p.rate, kinds)
}

func (p *play) phases(length time.Duration) error {
	if err := p.await(wholeIn, "a leader", func() bool { return p.w.leader() != nil }); err != nil {
		return err
	}
	loads := p.loads
	envs := p.environments(loads)
	for i, w := range loads {
		if err := w.Setup(p.ctx, envs[i]); err != nil {
			return fmt.Errorf("set up %s: %w", w.Name(), err)
		}
	}
	stopWatching := p.watch()
	stop := p.traffic(loads, envs)
	p.sleep(warmUp)
	err := p.torment(length)
	p.heal()
	// A process that failed may still be on its way out.
	err = errors.Join(err, p.await(wholeIn, "every process", p.running))
	p.run.Healed = p.rec.Now()
	err = errors.Join(err, p.await(wholeIn, "the cluster whole", p.whole))
	p.sleep(aftermath)
	p.run.Stopped = p.rec.Now()
	err = errors.Join(err, stop())
	err = errors.Join(err, p.drain(loads, envs)) // also after an error: the workloads' goroutines end there
	if err == nil {
		err = p.await(wholeIn, "all replicas at one index", p.same)
	}
	stopWatching()
	return errors.Join(err, p.collect())
}

// torment makes faults until the time is over.
func (p *play) torment(length time.Duration) error {
	over := time.Now().Add(length)
	for time.Now().Before(over) {
		next := time.Now().Add(between(p.rand, faultEvery/3, faultEvery))
		f := p.kinds[p.rand.IntN(len(p.kinds))]
		if f.whole {
			if err := p.await(wholeIn, "the cluster whole before "+f.name, p.whole); err != nil {
				return err
			}
		}
		p.hurt(f)
		confirmed := p.rec.Counts().Confirmed
		if err := p.await(confirmsIn, "a confirm after "+f.name, func() bool { return p.rec.Counts().Confirmed > confirmed }); err != nil {
			return err
		}
		p.sleep(time.Until(next))
	}
	return nil
}

func (p *play) sleep(d time.Duration) { time.Sleep(d) }

// awaitPoll is how often something is looked at that is waited for.
const awaitPoll = 50 * time.Millisecond

func (p *play) await(within time.Duration, what string, met func() bool) error {
	over := time.Now().Add(within)
	for !met() {
		if time.Now().After(over) {
			p.w.problem("run", fmt.Sprintf("%s did not come within %v", what, within))
			return fmt.Errorf("%s did not come within %v", what, within)
		}
		time.Sleep(awaitPoll)
	}
	return nil
}

// environments gives each workload its share of the rate.
func (p *play) environments(loads []workload.Workload) []*workload.Env {
	var envs []*workload.Env
	for i := range loads {
		envs = append(envs, &workload.Env{
			Dial: func(ctx context.Context, i int, opts ...client.Option) (*client.Conn, error) {
				opts = append([]client.Option{client.WithDialer(p.w.Network.Host(clients).Dial)}, opts...)
				return client.Dial(ctx, p.w.url(i), opts...)
			},
			Net:      p.w.Network.Host(clients).Dial,
			Recorder: p.rec,
			Rand:     rand.New(rand.NewPCG(p.seed, uint64(i)+1)),
			Rate:     p.rate / float64(len(loads)),
		})
	}
	return envs
}

// traffic starts the workloads. The function returned ends them and waits for
// every outcome.
func (p *play) traffic(loads []workload.Workload, envs []*workload.Env) (stop func() error) {
	ctx, cancel := context.WithCancel(p.ctx)
	errs := make([]error, len(loads))
	var running sync.WaitGroup
	for i, w := range loads {
		running.Go(func() {
			if err := w.Run(ctx, envs[i]); err != nil {
				errs[i] = fmt.Errorf("workload %s: %w", w.Name(), err)
			}
		})
	}
	return func() error {
		cancel()
		ended := make(chan struct{})
		go func() {
			running.Wait()
			close(ended)
		}()
		select {
		case <-ended:
		case <-time.After(settlesIn):
			p.w.problem("run", fmt.Sprintf("the workloads did not end within %v", settlesIn))
			<-ended
		}
		return errors.Join(errs...)
	}
}

func (p *play) drain(loads []workload.Workload, envs []*workload.Env) error {
	ctx, cancel := context.WithTimeout(p.ctx, drainsIn)
	defer cancel()
	errs := make([]error, len(loads))
	var all sync.WaitGroup
	for i, w := range loads {
		all.Go(func() {
			if err := w.Drain(ctx, envs[i]); err != nil {
				errs[i] = fmt.Errorf("drain %s: %w", w.Name(), err)
			}
		})
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	p.run.Drained = p.rec.Now()
	return nil
}

// whole: every host runs and votes, nobody else does, and all are about as far.
func (p *play) whole() bool {
	leader := p.w.leader()
	if leader == nil {
		return false
	}
	s, _ := leader.status()
	if len(s.Members) != len(p.w.Hosts) {
		return false
	}
	for _, m := range s.Members {
		if !m.Voter || !m.Healthy {
			return false
		}
	}
	for _, h := range p.w.Hosts {
		if x, runs := h.status(); !runs || x.Leader != leader.Name {
			return false
		}
	}
	return true
}

// running: every host has a process.
func (p *play) running() bool {
	return !slices.ContainsFunc(p.w.Hosts, func(h *Host) bool { return h.life.Load() == nil })
}

// same: all replicas have applied all there is.
func (p *play) same() bool {
	var at []uint64
	for _, h := range p.w.Hosts {
		s, runs := h.status()
		if !runs || s.AppliedIndex == 0 {
			return false
		}
		at = append(at, s.AppliedIndex)
	}
	return len(slices.Compact(at)) == 1
}
