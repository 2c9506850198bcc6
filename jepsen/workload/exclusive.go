package workload

import (
	"context"
	"time"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/jepsen/check"
)

const (
	exclusiveQueue = "exclusive"
	exclusiveLease = time.Second

	// exclusiveRate bounds the messages a second: they are worked on one after
	// the other.
	exclusiveRate = 60
)

// Exclusive is a queue that serves one consumer at a time, which takes one
// message at a time. Consumers wait for their turn, come and go.
type Exclusive struct{ *crew }

// Name is the workload's.
func (w *Exclusive) Name() string { return "exclusive" }

// Setup makes the queue.
func (w *Exclusive) Setup(ctx context.Context, e *Env) error {
	w.crew = newCrew(e, w.Name())
	return w.setup(ctx, client.QueueSettings{
		Lease: exclusiveLease, FailureLimit: client.FailureLimitUnlimited, Retry: atOnce, Exclusive: true,
	}, exclusiveQueue)
}

// Run has consumers of which one is left without its lease if it sleeps.
func (w *Exclusive) Run(ctx context.Context, e *Env) error {
	for i := range 3 {
		w.join(member{
			consuming: consuming{Queue: exclusiveQueue, Prefetch: 1, Lease: exclusiveLease, NoExtend: i == 0},
			place:     i, life: 2 * time.Second, handle: w.work,
		})
	}
	w.produce(ctx, 0, min(e.Rate, exclusiveRate), func(ctx context.Context, p *producer) {
		w.judge(p.PublishAsync(ctx, exclusiveQueue, p.key(), p.rand.IntN(256), func(err error) { w.judge(err) }))
	})
	w.producing.Wait()
	return w.err()
}

// work gives some messages back, which come again before all others.
func (w *Exclusive) work(d *Delivery) {
	r := w.dice(d)
	if r.IntN(100) == 0 {
		d.Oversleep(w.over, exclusiveLease+time.Duration(r.IntN(300))*time.Millisecond)
	}
	if r.IntN(10) == 0 {
		w.judge(d.Nack(context.Background(), client.ReasonMessage), client.ErrLeaseLost)
		return
	}
	d.AckThen(func(err error) { w.judge(err, client.ErrLeaseLost) })
}

// Drain has the consumers take what is left.
func (w *Exclusive) Drain(ctx context.Context, _ *Env) error { return w.drain(ctx, exclusiveQueue) }

// Checkers of the workload. One message at a time is leased, so the queue is
// like one group.
func (w *Exclusive) Checkers(scale float64) []check.Checker {
	confirmed := floor(100, scale)
	return []check.Checker{
		check.Groups{Workload: w.Name(), Queue: exclusiveQueue, Lease: exclusiveLease, Floors: check.GroupsFloors{
			Groups: 1, Grants: confirmed, Retried: floor(5, scale),
		}},
		check.Accounting{Workload: w.Name(), Lease: exclusiveLease, Floors: check.AccountingFloors{
			Confirmed: confirmed, Delivered: confirmed, Settled: confirmed,
		}},
	}
}
