package workload

import (
	"context"
	"time"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/jepsen/check"
)

const (
	plainQueue     = "plain"
	plainProducers = 4
	plainConsumers = 4
	plainBytes     = 256

	// plainTick is how often a producer publishes what is due by then, and
	// plainLate the most that it catches up with if something held it up.
	plainTick = 10 * time.Millisecond
	plainLate = time.Second

	// plainHold is how long a message is kept: always are some leased, so that
	// a fault has something to hurt.
	plainHold     = 20 * time.Millisecond
	plainHandlers = 64 // of a consumer

	// PlainFloor is how many messages the checkers of Plain have to have seen
	// at scale 1.
	PlainFloor = 4000
)

// Plain is an even stream through one queue: producers that keep to their rate
// as a clock does, also on a busy machine, and consumers that ack every message
// after a moment. It is for measuring, and not one of All.
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
	take := consuming{Queue: plainQueue, Prefetch: 256, Concurrency: plainHandlers}
	for i := range plainConsumers {
		w.join(member{consuming: take, place: i, handle: w.take})
	}
	for i := range plainProducers {
		w.employ(ctx, i, func(p *producer) { w.stream(ctx, p, e.Rate/plainProducers) })
	}
	w.producing.Wait()
	return w.err()
}

// stream publishes rate messages a second until ctx ends.
func (w *Plain) stream(ctx context.Context, p *producer, rate float64) {
	tick := time.NewTicker(plainTick)
	defer tick.Stop()
	due := time.Now() // when the next message is
	between := time.Duration(float64(time.Second) / rate)
	for ctx.Err() == nil {
		now := time.Now()
		if now.Sub(due) > plainLate {
			due = now.Add(-plainLate)
		}
		for ; !due.After(now) && ctx.Err() == nil; due = due.Add(between) {
			w.judge(p.PublishAsync(ctx, plainQueue, p.key(), plainBytes, func(err error) { w.judge(err) }))
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
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
