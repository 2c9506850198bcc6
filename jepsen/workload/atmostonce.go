package workload

import (
	"context"
	"time"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/jepsen/check"
)

const (
	onceQueue  = "atmostonce"
	onceCredit = 32
)

// AtMostOnce is consumers without acks, which come and go: what is on its way
// to one that goes is lost, and nothing comes twice.
type AtMostOnce struct{ *crew }

// Name is the workload's.
func (w *AtMostOnce) Name() string { return "atmostonce" }

// Setup makes the queue.
func (w *AtMostOnce) Setup(ctx context.Context, e *Env) error {
	w.crew = newCrew(e, w.Name())
	return w.setup(ctx, client.QueueSettings{Retry: atOnce}, onceQueue)
}

// Run has some producers wait for each confirmation and some not.
func (w *AtMostOnce) Run(ctx context.Context, e *Env) error {
	for i := range 4 {
		m := member{
			consuming: consuming{Queue: onceQueue, Prefetch: onceCredit, Concurrency: 1, NoAck: true},
			place:     i, handle: func(*Delivery) {},
		}
		if i%2 == 1 {
			m.life = 3 * time.Second
		}
		w.join(m)
	}
	waiting := min(e.Rate/4, syncRate)
	for i := range 2 {
		w.produce(ctx, i, waiting, func(ctx context.Context, p *producer) {
			w.judge(p.Publish(context.WithoutCancel(ctx), onceQueue, p.key(), bodySize(p.rand)))
		})
		w.produce(ctx, i+1, e.Rate/2-waiting, func(ctx context.Context, p *producer) {
			w.judge(p.PublishAsync(ctx, onceQueue, p.key(), bodySize(p.rand), func(err error) { w.judge(err) }))
		})
	}
	w.producing.Wait()
	return w.err()
}

// Drain has the consumers take what is left.
func (w *AtMostOnce) Drain(ctx context.Context, _ *Env) error { return w.drain(ctx, onceQueue) }

// Checkers of the workload.
func (w *AtMostOnce) Checkers(scale float64) []check.Checker {
	return []check.Checker{check.AtMostOnce{
		Workload: w.Name(), LossMax: check.LossByCredit(w.Name(), onceCredit),
		Floors: check.AtMostOnceFloors{Confirmed: floor(4000, scale), Delivered: floor(3000, scale)},
	}}
}
