package workload

import (
	"context"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/jepsen/check"
)

const dedupQueue = "dedup"

// Dedup is clients whose connections break all the time, so that operations
// are sent again, under their numbers, through all nodes.
type Dedup struct{ *crew }

// Name is the workload's.
func (w *Dedup) Name() string { return "dedup" }

// Setup makes the queue.
func (w *Dedup) Setup(ctx context.Context, e *Env) error {
	w.crew = newCrew(e, w.Name())
	return w.setup(ctx, client.QueueSettings{FailureLimit: client.FailureLimitUnlimited, Retry: atOnce}, dedupQueue)
}

// cut is the option of a client whose connections break.
func (w *Dedup) cut() client.Option { return client.WithDialer(newCutter(w.Env, w.fork()).Dial) }

// Run breaks the connections of the producers and of every second consumer.
func (w *Dedup) Run(ctx context.Context, e *Env) error {
	for i := range 4 {
		m := member{consuming: consuming{Queue: dedupQueue, Prefetch: 32}, place: i, handle: func(d *Delivery) {
			d.AckThen(func(err error) { w.judge(err, client.ErrLeaseLost) })
		}}
		if i < 2 {
			m.opts = []client.Option{w.cut()}
		}
		w.join(m)
	}
	waiting := min(e.Rate/10, syncRate)
	for i := range 2 {
		w.produce(ctx, i, waiting, w.one, w.cut())
	}
	for i := range 4 {
		w.produce(ctx, i, (e.Rate-2*waiting)/4, w.async, w.cut())
	}
	w.producing.Wait()
	return w.err()
}

func (w *Dedup) async(ctx context.Context, p *producer) {
	w.judge(p.PublishAsync(ctx, dedupQueue, p.key(), bodySize(p.rand), func(err error) { w.judge(err) }))
}

func (w *Dedup) one(ctx context.Context, p *producer) {
	w.judge(p.Publish(context.WithoutCancel(ctx), dedupQueue, p.key(), bodySize(p.rand)))
}

// Drain has the consumers take what is left.
func (w *Dedup) Drain(ctx context.Context, _ *Env) error { return w.drain(ctx, dedupQueue) }

// Checkers of the workload.
func (w *Dedup) Checkers(scale float64) []check.Checker {
	return []check.Checker{
		check.OperationNumbers{Workload: w.Name(), Floors: check.NumbersFloors{
			Operations: floor(1000, scale), Resent: floor(50, scale),
		}},
		check.Accounting{Workload: w.Name(), Floors: check.AccountingFloors{
			Confirmed: floor(4000, scale), Delivered: floor(4000, scale), Settled: floor(4000, scale),
		}},
	}
}
