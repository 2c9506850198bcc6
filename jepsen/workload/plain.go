package workload

import (
	"context"
	"time"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/jepsen/check"
)

const (
	plainQueue     = "plain"
	plainProducers = 8 // so many that together they hardly pause
	plainConsumers = 4
	plainBytes     = 256

	// plainHold is how long a message is kept: always are some leased, so that
	// a fault has something to hurt.
	plainHold = 100 * time.Millisecond

	// PlainFloor is how many messages the checkers of Plain have to have seen
	// at scale 1.
	PlainFloor = 4000
)

// Plain is a stream through one queue: producers with small bursts, and
// consumers that ack every message after a moment. It is for measuring what a
// fault costs, at whatever rate, and not one of All.
type Plain struct{ *crew }

// Name is the workload's.
func (w *Plain) Name() string { return "plain" }

// Setup makes the queue.
func (w *Plain) Setup(ctx context.Context, e *Env) error {
	w.crew = newCrew(e, w.Name())
	return w.setup(ctx, client.QueueSettings{FailureLimit: client.FailureLimitUnlimited}, plainQueue)
}

// Run starts the consumers, and produces until ctx ends.
func (w *Plain) Run(ctx context.Context, e *Env) error {
	for i := range plainConsumers {
		w.join(member{consuming: consuming{Queue: plainQueue, Prefetch: 256}, place: i, handle: w.take})
	}
	for i := range plainProducers {
		w.produce(ctx, i, e.Rate/plainProducers, w.publish)
	}
	w.producing.Wait()
	return w.err()
}

func (w *Plain) publish(ctx context.Context, p *producer) {
	w.judge(p.PublishAsync(ctx, plainQueue, p.key(), plainBytes, func(err error) { w.judge(err) }))
}

func (w *Plain) take(d *Delivery) {
	d.Hold(plainHold)
	d.AckThen(func(err error) { w.judge(err, client.ErrLeaseLost) })
}

// Drain has the consumers take what is left.
func (w *Plain) Drain(ctx context.Context, _ *Env) error { return w.drain(ctx, plainQueue) }

// Checkers of the workload.
func (w *Plain) Checkers(scale float64) []check.Checker {
	least := floor(PlainFloor, scale)
	return []check.Checker{
		check.Accounting{Workload: w.Name(), Floors: check.AccountingFloors{
			Confirmed: least, Delivered: least, Settled: least,
		}},
		check.Conservation{Workload: w.Name(), Floors: check.ConservationFloors{
			Replicas: 1, Queues: 1, Published: least,
		}},
		check.Automata{Workload: w.Name(), Floors: check.AutomataFloors{
			Messages: least, Leases: least, Settles: least,
		}},
	}
}
