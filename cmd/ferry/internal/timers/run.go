package timers

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/cmd/ferry/internal/latency"
)

// The cluster is the run's own, so its queues need no names of their own.
const (
	timersQueue = "timers"
	besideQueue = "beside"
)

// run is one run under way.
type run struct {
	o       Options
	control *client.Conn
	conns   []*client.Conn
	loading time.Duration
	begin   time.Time // of the window
	timers  *tally
	due     []*arrivals // one of each consumer
	beside  *beside
}

// Run publishes the timers, waits for them beside the steady load, and tells
// what was seen. The error says that it could not be measured: whether what
// was seen is good enough is told by the result's Verdict.
func Run(ctx context.Context, o Options) (Result, error) {
	if err := o.Validate(); err != nil {
		return Result{}, err
	}
	r := &run{o: o}
	defer r.close()
	if err := r.open(ctx); err != nil {
		return Result{}, err
	}
	before, err := r.term(ctx)
	if err != nil {
		return Result{}, err
	}
	if r.begin, err = r.load(ctx); err != nil {
		return Result{}, err
	}
	if err := r.window(ctx); err != nil {
		return Result{}, err
	}
	left, err := r.left(ctx)
	if err != nil {
		return Result{}, err
	}
	after, err := r.term(ctx)
	if err != nil {
		return Result{}, err
	}
	return r.result(left, after-before), nil
}

func (r *run) open(ctx context.Context) (err error) {
	if r.control, err = r.dial(ctx); err != nil {
		return err
	}
	return r.control.CreateQueue(ctx, besideQueue, client.QueueSettings{})
}

func (r *run) dial(ctx context.Context) (*client.Conn, error) {
	c, err := client.Dial(ctx, r.o.URL, client.WithName("ferry-bench"), client.WithRequestTimeout(requestTimeout))
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", r.o.URL, err)
	}
	r.conns = append(r.conns, c)
	return c, nil
}

// close ends the connections; what was measured is measured.
func (r *run) close() {
	for _, c := range r.conns {
		_ = c.Close()
	}
}

// window consumes the timers and keeps up the steady load until both are
// through, or far behind their time.
func (r *run) window(ctx context.Context) error {
	deadline := r.begin.Add(r.o.Window + drainTimeout)
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	consuming, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var wg sync.WaitGroup
	with := func(f func(context.Context, *client.Conn) error) error {
		c, err := r.dial(ctx)
		if err != nil {
			return err
		}
		wg.Go(func() {
			if err := f(consuming, c); err != nil {
				stop(err)
			}
		})
		return nil
	}
	r.timers = newTally(r.o.N)
	r.beside = newBeside(r.o, r.begin)
	err := errors.Join(with(r.beside.consume), with(r.beside.produce))
	for range consumers {
		a := &arrivals{lateness: latency.New()}
		r.due = append(r.due, a)
		err = errors.Join(err, with(func(ctx context.Context, c *client.Conn) error { return a.receive(ctx, c, r.timers) }))
	}
	if err == nil {
		err = r.wait(consuming)
	}
	stop(nil)
	wg.Wait()
	return err
}

// wait returns when everything has arrived and is acked, or at the deadline:
// the result tells then what is missing.
func (r *run) wait(ctx context.Context) error {
	r.o.Say("the window begins in %.1f s", time.Until(r.begin).Seconds())
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	timers, beside := r.timers.all, r.beside.all
	for timers != nil || beside != nil {
		select {
		case <-timers:
			timers = nil
		case <-beside:
			beside = nil
		case <-tick.C:
			r.o.Tick(uint64(r.timers.count().arrived))
		case <-ctx.Done():
			if errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
				return nil
			}
			return context.Cause(ctx)
		}
	}
	return nil
}

// left is how many messages the queues hold at the end.
func (r *run) left(ctx context.Context) (n uint64, err error) {
	for _, name := range []string{timersQueue, besideQueue} {
		q, err := r.control.Queue(ctx, name)
		if err != nil {
			return 0, err
		}
		n += q.Ready + q.Leased + q.Scheduled + q.Retrying + q.Parked + q.Dead
	}
	return n, nil
}

// term is of the cluster's only group: it rises with each election.
func (r *run) term(ctx context.Context) (uint64, error) {
	info, err := r.control.Cluster(ctx)
	if err != nil {
		return 0, err
	}
	return info.Groups[0].Term, nil
}
