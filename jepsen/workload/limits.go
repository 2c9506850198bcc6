package workload

import (
	"context"
	"time"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/jepsen/check"
)

const (
	limitsReject = "limits-reject"
	limitsOldest = "limits-oldest" // the oldest become dead letters
	limitsNew    = "limits-new"    // new ones are dropped

	limitsMax   = 10
	limitsReads = 10 // of each queue, a second
)

var limitsQueues = []string{limitsReject, limitsOldest, limitsNew}

// Limits is queues that get twice as many messages as their consumers take,
// and are full most of the time.
type Limits struct{ *crew }

// Name is the workload's.
func (w *Limits) Name() string { return "limits" }

// Setup makes a queue for each of the things to do when it is full.
func (w *Limits) Setup(ctx context.Context, e *Env) error {
	w.crew = newCrew(e, w.Name())
	for i, queue := range limitsQueues {
		s := client.QueueSettings{
			FailureLimit: client.FailureLimitUnlimited, Retry: atOnce, MaxMessages: limitsMax,
			Overflow: []client.Overflow{client.OverflowReject, client.OverflowDropOldest, client.OverflowDropNew}[i],
		}
		if err := w.setup(ctx, s, queue); err != nil {
			return err
		}
	}
	return nil
}

// Run has one consumer of each queue, with one handler, and somebody look.
func (w *Limits) Run(ctx context.Context, e *Env) error {
	each := e.Rate / float64(len(limitsQueues))
	hold := time.Duration(2 / each * float64(time.Second))
	for i, queue := range limitsQueues {
		w.join(member{
			consuming: consuming{Queue: queue, Prefetch: 4, Concurrency: 1}, place: i,
			handle: func(d *Delivery) {
				d.Hold(hold)
				w.take(d)
			},
		})
		w.produce(ctx, i, each, func(ctx context.Context, p *producer) {
			w.judge(p.publishOrDrop(ctx, queue, func(err error) { w.judge(err) }))
		})
		w.produce(ctx, i+1, limitsReads, func(ctx context.Context, p *producer) {
			_, err := p.Read(context.WithoutCancel(ctx), queue)
			w.judge(err)
		})
	}
	w.producing.Wait()
	return w.err()
}

// publishOrDrop publishes a message that the queue may drop.
func (p *producer) publishOrDrop(ctx context.Context, queue string, done func(error)) error {
	o, m := p.message(queue, p.key(), p.rand.IntN(256))
	return p.send(ctx, o, m, done)
}

func (w *Limits) take(d *Delivery) { d.AckThen(func(err error) { w.judge(err, client.ErrLeaseLost) }) }

// Drain empties the queue of what was too old as well.
func (w *Limits) Drain(ctx context.Context, _ *Env) error {
	dlq := limitsOldest + ".dlq"
	w.join(member{consuming: consuming{Queue: dlq, Prefetch: 64}, handle: w.take})
	return w.drain(ctx, append([]string{dlq}, limitsQueues...)...)
}

// Checkers of the workload.
func (w *Limits) Checkers(scale float64) []check.Checker {
	some := floor(200, scale)
	return []check.Checker{
		check.Limits{Workload: w.Name(), Queues: limitsQueues, Max: limitsMax, Floors: check.LimitsFloors{
			Reads: floor(100, scale), Full: floor(30, scale), Refused: some, Dropped: some,
		}},
		check.Fates{Workload: w.Name(), Queues: []string{limitsReject}, Floors: check.FatesFloors{Confirmed: some, Delivered: some}},
		check.Fates{Workload: w.Name(), Queues: []string{limitsNew}, Floors: check.FatesFloors{Confirmed: some, Delivered: some}},
		check.Fates{Workload: w.Name(), Queues: []string{limitsOldest}, Deaths: []string{"overflow"}, Floors: check.FatesFloors{
			Confirmed: floor(500, scale), Delivered: floor(500, scale), Dead: some,
		}},
	}
}
