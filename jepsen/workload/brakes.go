package workload

import (
	"context"
	"time"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/jepsen/check"
	"github.com/ferrymq/ferrymq/jepsen/history"
)

const (
	brakesRated   = "brakes-rated"
	brakesBreaker = "brakes-breaker"

	brakesRate     = 40 // messages a second
	brakesBurst    = 8
	brakesPrefetch = 8
	brakesMembers  = 2

	brakesShut = 300 * time.Millisecond // how long somebody keeps the breaker open
	brakesOpen = 500 * time.Millisecond // between two times
)

// Brakes is a queue with a rate, and one with a circuit breaker, which trips by
// itself and is opened by hand.
type Brakes struct{ *crew }

// Name is the workload's.
func (w *Brakes) Name() string { return "brakes" }

// Setup makes the queues.
func (w *Brakes) Setup(ctx context.Context, e *Env) error {
	w.crew = newCrew(e, w.Name())
	s := client.QueueSettings{FailureLimit: client.FailureLimitUnlimited, Retry: atOnce}
	rated, breaker := s, s
	rated.DispatchRate, rated.DispatchBurst = brakesRate, brakesBurst
	breaker.Breaker = true
	if err := w.setup(ctx, rated, brakesRated); err != nil {
		return err
	}
	return w.setup(ctx, breaker, brakesBreaker)
}

// Run publishes less than the rate, in bursts that are larger than its own.
func (w *Brakes) Run(ctx context.Context, e *Env) error {
	for i := range brakesMembers {
		w.join(member{consuming: consuming{Queue: brakesRated, Prefetch: brakesPrefetch}, place: i, handle: w.take})
		w.join(member{consuming: consuming{Queue: brakesBreaker, Prefetch: brakesPrefetch}, place: i, handle: w.work})
	}
	for i, queue := range []string{brakesRated, brakesBreaker} {
		w.produce(ctx, i, min(e.Rate/2, brakesRate*3/4), func(ctx context.Context, p *producer) {
			w.judge(p.PublishAsync(ctx, queue, p.key(), p.rand.IntN(256), func(err error) { w.judge(err) }))
		})
	}
	w.employ(ctx, 1, func(p *producer) {
		for sleep(ctx, brakesOpen) {
			w.judge(p.OpenBreaker(context.WithoutCancel(ctx), brakesBreaker))
			sleep(ctx, brakesShut)
			w.judge(p.CloseBreaker(context.WithoutCancel(ctx), brakesBreaker))
		}
	})
	w.producing.Wait()
	return w.err()
}

// work blames something else for some messages.
func (w *Brakes) work(d *Delivery) {
	if d.base.Attempt == 1 && w.dice(d).IntN(8) == 0 {
		w.judge(d.Nack(context.Background(), client.ReasonDownstream), client.ErrLeaseLost)
		return
	}
	w.take(d)
}

func (w *Brakes) take(d *Delivery) { d.AckThen(func(err error) { w.judge(err, client.ErrLeaseLost) }) }

// Drain closes the breaker, of whose last closing nobody may have been told.
func (w *Brakes) Drain(ctx context.Context, _ *Env) error {
	c, err := w.connect(ctx, w.name, 0)
	if err == nil {
		for c.CloseBreaker(ctx, brakesBreaker) != nil && sleep(ctx, drainPoll) {
		}
		w.judge(c.close())
	}
	return w.drain(ctx, brakesRated, brakesBreaker)
}

// OpenBreaker opens a queue's circuit breaker.
func (c *Client) OpenBreaker(ctx context.Context, queue string) error {
	return c.control(check.OpenBreaker, queue, func(*history.Op) error { return c.conn.OpenBreaker(ctx, queue) })
}

// CloseBreaker closes it.
func (c *Client) CloseBreaker(ctx context.Context, queue string) error {
	return c.control(check.CloseBreaker, queue, func(*history.Op) error { return c.conn.CloseBreaker(ctx, queue) })
}

// Checkers of the workload. A delivery may have waited on its way, but no more
// of them than consumers may hold.
func (w *Brakes) Checkers(scale float64) []check.Checker {
	confirmed := floor(60, scale)
	return []check.Checker{
		check.Rate{Workload: w.Name(), Queue: brakesRated, Rate: brakesRate, Burst: brakesBurst,
			Held: brakesMembers * brakesPrefetch, Floor: confirmed},
		check.Breaker{Workload: w.Name(), Queue: brakesBreaker, Floors: check.BreakerFloors{
			Shut: floor(4, scale), During: floor(8, scale),
		}},
		check.Accounting{Workload: w.Name(), Floors: check.AccountingFloors{
			Confirmed: 2 * confirmed, Delivered: 2 * confirmed, Settled: 2 * confirmed, Redelivered: floor(4, scale),
		}},
	}
}
