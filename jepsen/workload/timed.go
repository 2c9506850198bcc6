package workload

import (
	"context"
	"time"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/jepsen/check"
	"github.com/ferrymq/ferrymq/jepsen/history"
)

const (
	timedLater = "timed-later"
	timedDrop  = "timed-drop" // what expires is dropped
	timedDead  = "timed-dead" // what expires is a dead letter

	timedLaterMax = 1500 * time.Millisecond
	timedTTLMax   = 1200 * time.Millisecond // of a message
	timedTTL      = 700 * time.Millisecond  // of the queue with dead letters
)

// Timed is messages that are not to be handed out yet, and messages that are
// not to be handed out any more: their consumers come to half of them in time.
type Timed struct{ *crew }

// Name is the workload's.
func (w *Timed) Name() string { return "timed" }

// Setup makes the queues.
func (w *Timed) Setup(ctx context.Context, e *Env) error {
	w.crew = newCrew(e, w.Name())
	s := client.QueueSettings{FailureLimit: client.FailureLimitUnlimited, Retry: atOnce}
	if err := w.setup(ctx, s, timedLater, timedDrop); err != nil {
		return err
	}
	s.TTL, s.ExpiredDead = timedTTL, true
	return w.setup(ctx, s, timedDead)
}

// Run has one consumer of what expires, with one handler, which takes its time.
func (w *Timed) Run(ctx context.Context, e *Env) error {
	each := e.Rate / 3
	for i := range 2 {
		w.join(member{consuming: consuming{Queue: timedLater, Prefetch: 32}, place: i, handle: w.take})
	}
	hold := time.Duration(2 / each * float64(time.Second))
	for i, queue := range []string{timedDrop, timedDead} {
		w.join(member{
			consuming: consuming{Queue: queue, Prefetch: 4, Concurrency: 1}, place: i,
			handle: func(d *Delivery) {
				d.Hold(hold)
				w.take(d)
			},
		})
		w.produce(ctx, i, each, func(ctx context.Context, p *producer) { w.expiring(ctx, p, queue) })
	}
	w.join(member{consuming: consuming{Queue: timedDead + ".dlq", Prefetch: 64}, handle: w.take})
	w.produce(ctx, 0, each, w.later)
	w.producing.Wait()
	return w.err()
}

// later publishes a message that has to wait, for a while or until a moment.
func (w *Timed) later(ctx context.Context, p *producer) {
	o, m := p.message(timedLater, p.key(), p.rand.IntN(256))
	wait := millis(p, timedLaterMax)
	if o.Value = uint64(wait.Milliseconds()); p.rand.IntN(2) == 0 {
		m.Delay = wait
	} else {
		m.DeliverAt = time.Now().Add(wait)
	}
	w.send(ctx, p, o, m)
}

// expiring publishes a message that may wait for a while.
func (w *Timed) expiring(ctx context.Context, p *producer, queue string) {
	o, m := p.message(queue, p.key(), p.rand.IntN(256))
	m.TTL = millis(p, timedTTLMax)
	ttl := m.TTL
	if queue == timedDead {
		ttl = min(ttl, timedTTL)
	}
	o.Value = uint64(ttl.Milliseconds())
	w.send(ctx, p, o, m)
}

// millis is at least one, and below a bound.
func millis(p *producer, most time.Duration) time.Duration {
	return time.Duration(1+p.rand.Int64N(most.Milliseconds()-1)) * time.Millisecond
}

func (w *Timed) send(ctx context.Context, p *producer, o history.Op, m client.Message) {
	w.judge(p.send(ctx, o, m, func(err error) { w.judge(err) }))
}

func (w *Timed) take(d *Delivery) { d.AckThen(func(err error) { w.judge(err, client.ErrLeaseLost) }) }

// Drain waits for what is due or over.
func (w *Timed) Drain(ctx context.Context, _ *Env) error {
	return w.drain(ctx, timedLater, timedDrop, timedDead, timedDead+".dlq")
}

// Checkers of the workload.
func (w *Timed) Checkers(scale float64) []check.Checker {
	confirmed := floor(500, scale)
	return []check.Checker{
		check.Timed{
			Workload: w.Name(), Later: []string{timedLater}, Expiring: []string{timedDrop, timedDead},
			Floors: check.TimedFloors{Later: confirmed, InTime: floor(300, scale), Expired: floor(60, scale)},
		},
		check.Accounting{Workload: w.Name(), Queues: []string{timedLater}, Floors: check.AccountingFloors{
			Confirmed: confirmed, Delivered: confirmed, Settled: confirmed,
		}},
		check.Fates{
			Workload: w.Name(), Queues: []string{timedDrop}, Vanish: func(q history.Queue) uint64 { return q.Expired },
			Floors: check.FatesFloors{Confirmed: confirmed, Delivered: floor(150, scale), Vanished: floor(60, scale)},
		},
		check.Fates{
			Workload: w.Name(), Queues: []string{timedDead}, Deaths: []string{"expired"},
			Floors: check.FatesFloors{Confirmed: confirmed, Delivered: confirmed, Dead: floor(60, scale)},
		},
	}
}
