package workload

import (
	"context"
	"errors"
	"time"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/jepsen/check"
	"github.com/ferrymq/ferrymq/jepsen/history"
)

const (
	ranksPriority = "ranks-priority"
	ranksFair     = "ranks-fair"

	ranksGuard  = 4
	ranksUnsaid = 4 // the priority of a message that says none

	// ranksRate bounds the messages a second of each queue, which come in bursts
	// of more than its consumers may hold: what nothing waits beside has no rank.
	ranksRate     = 100
	ranksBurst    = 32 // at the most
	ranksMembers  = 2
	ranksPrefetch = 4
	ranksHold     = 8 * time.Millisecond // at the most
)

// ranksWeights of the tenants, in the fair queue.
var ranksWeights = map[string]int{"big": 1, "heavy": 3, "small": 1}

// Ranks is messages of several priorities and tenants, in a queue that goes by
// priority alone, and in one that is fair to tenants and goes by it within each.
type Ranks struct{ *crew }

// Name is the workload's.
func (w *Ranks) Name() string { return "ranks" }

// Setup makes the queues, and gives tenants their weights.
func (w *Ranks) Setup(ctx context.Context, e *Env) error {
	w.crew = newCrew(e, w.Name())
	s := client.QueueSettings{FailureLimit: client.FailureLimitUnlimited, Retry: atOnce, StarvationGuard: ranksGuard}
	fair := s
	fair.Fair = true
	if err := errors.Join(w.setup(ctx, s, ranksPriority), w.setup(ctx, fair, ranksFair)); err != nil {
		return err
	}
	c, err := w.connect(ctx, w.name, 0)
	if err != nil {
		return err
	}
	for tenant, weight := range ranksWeights {
		err = errors.Join(err, c.conn.SetTenantWeight(ctx, ranksFair, tenant, weight))
	}
	return errors.Join(err, c.close())
}

// rankOf is the rank of a message, which both queues are told of. Half of all
// are one tenant's, and half of the highest priority, so that there are enough
// to pass others by.
func rankOf(k history.Key) check.Rank {
	n := k.Seq * 0x9e3779b97f4a7c15 >> 32 // the golden ratio's bits: mixed well
	return check.Rank{
		Tenant:   []string{"big", "big", "heavy", "small"}[n%4],
		Priority: []int{0, 9, 9, 9, 9, ranksUnsaid, ranksUnsaid, 5, 1, 9}[n/4%10],
	}
}

// Run has a producer of each queue, and consumers that together take several
// times as much.
func (w *Ranks) Run(ctx context.Context, e *Env) error {
	for i, queue := range []string{ranksPriority, ranksFair} {
		for n := range ranksMembers {
			w.join(member{
				consuming: consuming{Queue: queue, Prefetch: ranksPrefetch, Concurrency: ranksPrefetch / 2},
				place:     i + n, handle: w.work,
			})
		}
		rate := min(e.Rate/2, ranksRate)
		w.employ(ctx, i, func(p *producer) {
			for n := 0; sleep(ctx, time.Duration(float64(n)/rate*float64(time.Second))); {
				n = 1 + p.rand.IntN(ranksBurst)
				for range n {
					w.publish(ctx, p, queue)
				}
			}
		})
	}
	w.producing.Wait()
	return w.err()
}

func (w *Ranks) publish(ctx context.Context, p *producer, queue string) {
	k := p.key()
	o, m := p.message(queue, k, p.rand.IntN(256))
	rank := rankOf(k)
	if m.Tenant = rank.Tenant; rank.Priority != ranksUnsaid {
		m.Priority = client.Priority(uint8(rank.Priority))
	}
	w.judge(p.send(ctx, o, m, func(err error) { w.judge(err) }))
}

// work gives some messages back, which are ready again where they were.
func (w *Ranks) work(d *Delivery) {
	r := w.dice(d)
	d.Hold(time.Duration(r.Int64N(int64(ranksHold))))
	if r.IntN(8) == 0 {
		w.judge(d.Nack(context.Background(), client.ReasonMessage), client.ErrLeaseLost)
		return
	}
	d.AckThen(func(err error) { w.judge(err, client.ErrLeaseLost) })
}

// Drain has the consumers take what is left.
func (w *Ranks) Drain(ctx context.Context, _ *Env) error {
	return w.drain(ctx, ranksPriority, ranksFair)
}

// Checkers of the workload.
func (w *Ranks) Checkers(scale float64) []check.Checker {
	confirmed := floor(400, scale)
	floors := check.RanksFloors{
		Judged: confirmed, Passed: floor(200, scale), Guarded: floor(40, scale), Turns: floor(200, scale),
	}
	return []check.Checker{
		check.Ranks{Workload: w.Name(), Queue: ranksPriority, Rank: rankOf, Guard: ranksGuard, Floors: floors},
		check.Ranks{Workload: w.Name(), Queue: ranksFair, Rank: rankOf, Guard: ranksGuard, Weights: ranksWeights, Floors: floors},
		check.Accounting{Workload: w.Name(), Floors: check.AccountingFloors{
			Confirmed: 2 * confirmed, Delivered: 2 * confirmed, Settled: 2 * confirmed, Redelivered: floor(40, scale),
		}},
	}
}
