package workload

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/jepsen/check"
)

const (
	workMain  = "work-main"
	workShort = "work-short" // whose leases are short, and sometimes run out

	workFailures = 4
)

// Work is a work queue at least once: producers in bursts and competing
// consumers, of which some fail, reject, sleep over their lease, or leave.
type Work struct{ *crew }

// Name is the workload's.
func (w *Work) Name() string { return "work" }

// Setup makes the two queues.
func (w *Work) Setup(ctx context.Context, e *Env) error {
	w.crew = newCrew(e, w.Name())
	if err := w.setup(ctx, client.QueueSettings{FailureLimit: workFailures, Retry: atOnce}, workMain); err != nil {
		return err
	}
	return w.setup(ctx, client.QueueSettings{Lease: time.Second, FailureLimit: workFailures, Retry: atOnce}, workShort)
}

// Run starts the consumers, and produces until ctx ends.
func (w *Work) Run(ctx context.Context, e *Env) error {
	main := member{consuming: consuming{Queue: workMain, Prefetch: 64}, handle: w.work}
	short := member{consuming: consuming{Queue: workShort, Prefetch: 16, Lease: time.Second}, handle: w.doze}
	for i := range 4 {
		m := main
		if m.place = i; i >= 2 {
			m.life = 4 * time.Second
		}
		w.join(m)
		m = short
		m.place, m.NoExtend = i, i%2 == 1
		w.join(m)
	}
	const producers = 4
	for i := range producers {
		w.produce(ctx, i, e.Rate/producers, w.publish)
	}
	w.producing.Wait()
	return w.err()
}

func (w *Work) publish(ctx context.Context, p *producer) {
	queue := workMain
	if p.rand.IntN(5) == 0 {
		queue = workShort
	}
	w.judge(p.PublishAsync(ctx, queue, p.key(), bodySize(p.rand), func(err error) { w.judge(err) }))
}

// bodySize is mostly small, sometimes some KiB.
func bodySize(r *rand.Rand) int {
	if r.IntN(20) == 0 {
		return r.IntN(8 << 10)
	}
	return r.IntN(512)
}

// work settles a message after a short while.
func (w *Work) work(d *Delivery) {
	r := w.dice(d)
	d.Hold(time.Duration(r.IntN(50)) * time.Millisecond)
	w.settle(d, r)
}

// doze keeps some messages longer than their lease is.
func (w *Work) doze(d *Delivery) {
	r := w.dice(d)
	if r.IntN(10) == 0 {
		d.Oversleep(w.over, time.Second+time.Duration(r.IntN(1500))*time.Millisecond)
	}
	w.settle(d, r)
}

// settle acks, mostly. Some messages fail until they are dead.
func (w *Work) settle(d *Delivery, r *rand.Rand) {
	switch n := r.IntN(100); {
	case n < 3, d.Key.Seq%150 == 0:
		w.judge(d.Nack(context.Background(), client.ReasonMessage), client.ErrLeaseLost)
	case n < 6:
		w.judge(d.Nack(context.Background(), client.ReasonShutdown), client.ErrLeaseLost)
	case n < 8:
		w.judge(d.Reject(context.Background()), client.ErrLeaseLost)
	default:
		d.AckThen(func(err error) { w.judge(err, client.ErrLeaseLost) })
	}
}

// Drain empties the dead-letter queues as well.
func (w *Work) Drain(ctx context.Context, _ *Env) error {
	queues := []string{workMain, workShort}
	for i, queue := range queues {
		dlq := queue + ".dlq"
		w.join(member{consuming: consuming{Queue: dlq, Prefetch: 32}, place: i, handle: func(d *Delivery) {
			d.AckThen(func(err error) { w.judge(err, client.ErrLeaseLost) })
		}})
		queues = append(queues, dlq)
	}
	return w.drain(ctx, queues...)
}

// Checkers of the workload. A session that lost its connection blames what was
// started, so that messages of both queues may die of their failures.
func (w *Work) Checkers(scale float64) []check.Checker {
	lease := time.Second
	return []check.Checker{
		check.Accounting{
			Workload: w.Name(), Lease: lease, FailureLimit: workFailures, DeadLetters: true,
			Floors: check.AccountingFloors{
				Confirmed: floor(4000, scale), Delivered: floor(4000, scale), Settled: floor(4000, scale),
				Redelivered: floor(150, scale), Dead: floor(40, scale),
			},
		},
		check.Conservation{Workload: w.Name(), Floors: check.ConservationFloors{
			Replicas: 1, Queues: 4, Published: floor(4000, scale),
		}},
		check.Automata{
			Workload: w.Name(), Lease: lease, FailureLimit: workFailures,
			Floors: check.AutomataFloors{
				Messages: floor(4000, scale), Leases: floor(4000, scale), Settles: floor(4000, scale), Refused: floor(15, scale),
			},
		},
	}
}
