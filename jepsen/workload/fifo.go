package workload

import (
	"context"
	"time"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/jepsen/check"
	"github.com/ferrymq/ferrymq/jepsen/history"
)

const fifoQueue = "fifo"

// FIFO is producers that publish in order, each on one connection, and one
// consumer at a time, with one handler, so that the order in which it sees
// messages is that of the queue.
type FIFO struct{ *crew }

// Name is the workload's.
func (w *FIFO) Name() string { return "fifo" }

// Setup makes the queue.
func (w *FIFO) Setup(ctx context.Context, e *Env) error {
	w.crew = newCrew(e, w.Name())
	return w.setup(ctx, client.QueueSettings{FailureLimit: client.FailureLimitUnlimited, Retry: atOnce}, fifoQueue)
}

// Run has producers wait for each confirmation, for that of a batch, or for none.
func (w *FIFO) Run(ctx context.Context, e *Env) error {
	w.join(member{
		consuming: consuming{Queue: fifoQueue, Prefetch: 256, Concurrency: 1},
		life:      3 * time.Second,
		handle:    func(d *Delivery) { d.AckThen(func(err error) { w.judge(err, client.ErrLeaseLost) }) },
	})
	waiting := min(e.Rate/4, syncRate)
	w.produce(ctx, 0, waiting, w.one)
	w.produce(ctx, 1, waiting/fifoBatch, w.batch)
	for i := range 2 {
		w.produce(ctx, i+2, e.Rate/2-waiting, w.async)
	}
	w.producing.Wait()
	return w.err()
}

// fifoBatch is how many messages a batch has.
const fifoBatch = 5

func (w *FIFO) one(ctx context.Context, p *producer) {
	w.judge(p.Publish(context.WithoutCancel(ctx), fifoQueue, p.key(), bodySize(p.rand)))
}

func (w *FIFO) batch(ctx context.Context, p *producer) {
	keys := make([]history.Key, fifoBatch)
	for i := range keys {
		keys[i] = p.key()
	}
	w.judge(p.PublishBatch(context.WithoutCancel(ctx), fifoQueue, keys, p.rand.IntN(256)))
}

func (w *FIFO) async(ctx context.Context, p *producer) {
	w.judge(p.PublishAsync(ctx, fifoQueue, p.key(), bodySize(p.rand), func(err error) { w.judge(err) }))
}

// Drain has the consumer take what is left.
func (w *FIFO) Drain(ctx context.Context, _ *Env) error { return w.drain(ctx, fifoQueue) }

// Checkers of the workload.
func (w *FIFO) Checkers(scale float64) []check.Checker {
	return []check.Checker{
		check.FIFO{Workload: w.Name(), Floor: floor(3000, scale)},
		check.ProducerOrder{Workload: w.Name(), InOrder: true, Floors: check.OrderFloors{
			Published: floor(4000, scale), Delivered: floor(3000, scale),
		}},
		check.Accounting{Workload: w.Name(), Floors: check.AccountingFloors{
			Confirmed: floor(4000, scale), Delivered: floor(4000, scale), Settled: floor(4000, scale),
		}},
	}
}
