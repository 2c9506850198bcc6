package workload

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/jepsen/check"
	"github.com/ferrymq/ferrymq/jepsen/history"
)

const (
	adminQueues   = 3
	adminFailures = 5 // the highest failure limit
)

// Admin is queues that are made, changed, paused, purged, deleted and made
// again under the feet of those who use them.
type Admin struct{ *crew }

// churn is what the workload's clients have to live with.
var churn = []error{client.ErrNotFound, client.ErrConflict, client.ErrInUse, client.ErrLeaseLost}

// Name is the workload's.
func (w *Admin) Name() string { return "admin" }

func adminQueue(i int) string { return fmt.Sprintf("admin-%d", i) }

// adminSettings are two that are in each other's way.
func adminSettings(i int) client.QueueSettings {
	if i == 0 {
		return client.QueueSettings{FailureLimit: adminFailures, Retry: atOnce}
	}
	return client.QueueSettings{FailureLimit: 2, MaxMessages: 40, Lease: 2 * time.Second, Retry: atOnce}
}

// Setup makes the queues for the first time.
func (w *Admin) Setup(ctx context.Context, e *Env) error {
	w.crew = newCrew(e, w.Name())
	for i := range adminQueues {
		if err := w.setup(ctx, adminSettings(0), adminQueue(i)); err != nil {
			return err
		}
	}
	return nil
}

// Run has two administer all queues, while each has its producers and consumers.
func (w *Admin) Run(ctx context.Context, e *Env) error {
	for i := range adminQueues {
		queue := adminQueue(i)
		for place := range 2 {
			w.join(member{
				consuming: consuming{Queue: queue, Prefetch: 16}, place: i + place, absent: churn, handle: w.use,
			})
		}
		w.produce(ctx, i, min(e.Rate/10, syncRate/2), func(ctx context.Context, p *producer) {
			w.judge(p.publishOnce(context.WithoutCancel(ctx), queue, p.key(), p.rand.IntN(512)), churn...)
		})
		w.produce(ctx, i+1, max(e.Rate/3-syncRate/2, e.Rate/5), func(ctx context.Context, p *producer) {
			done := func(err error) { w.judge(err, churn...) }
			w.judge(p.PublishAsync(ctx, queue, p.key(), p.rand.IntN(512), done), churn...)
		})
	}
	for i := range 2 {
		w.produce(ctx, i, min(max(e.Rate/25, 1), 20), w.administer)
	}
	w.producing.Wait()
	return w.err()
}

// administer does one thing to one queue.
func (w *Admin) administer(until context.Context, p *producer) {
	ctx := context.WithoutCancel(until)
	queue := adminQueue(p.rand.IntN(adminQueues))
	var err error
	switch n := p.rand.IntN(20); {
	case n < 4:
		_, err = p.Read(ctx, queue)
	case n < 8:
		err = p.Create(ctx, queue, adminSettings(p.rand.IntN(2)))
	case n < 10:
		err = p.Update(ctx, queue, adminSettings(p.rand.IntN(2)))
	case n < 12:
		err = p.Purge(ctx, queue+[]string{"", ".dlq"}[p.rand.IntN(2)])
	case n < 14:
		err = p.Pause(ctx, queue)
	case n < 17:
		err = p.Resume(ctx, queue)
	default:
		err = p.Delete(ctx, queue, deleteIf(p.rand.IntN(4))...)
		if err == nil && until.Err() == nil && p.rand.IntN(3) > 0 {
			err = p.Create(ctx, queue, adminSettings(p.rand.IntN(2)))
		}
	}
	w.judge(err, churn...)
}

func deleteIf(n int) []client.DeleteOption {
	switch n {
	case 0:
		return []client.DeleteOption{client.IfEmpty()}
	case 1:
		return []client.DeleteOption{client.IfUnused()}
	}
	return nil
}

// use settles a message, if its queue is still there.
func (w *Admin) use(d *Delivery) {
	r := w.dice(d)
	d.Hold(time.Duration(r.IntN(20)) * time.Millisecond)
	switch r.IntN(20) {
	case 0, 1:
		w.judge(d.Nack(context.Background(), client.ReasonMessage), churn...)
	case 2:
		w.judge(d.Reject(context.Background()), churn...)
	default:
		d.AckThen(func(err error) { w.judge(err, churn...) })
	}
}

// Drain has every queue that is there hand out what it has.
func (w *Admin) Drain(ctx context.Context, e *Env) error {
	c, err := e.connect(ctx, w.name, 0)
	if err != nil {
		return errors.Join(err, w.drain(ctx))
	}
	var queues []string
	for i := range adminQueues {
		queue, dlq := adminQueue(i), adminQueue(i)+".dlq"
		w.judge(w.resume(ctx, c, queue), churn...)
		w.join(member{consuming: consuming{Queue: dlq, Prefetch: 16}, place: i, absent: churn, handle: func(d *Delivery) {
			d.AckThen(func(err error) { w.judge(err, churn...) })
		}})
		queues = append(queues, queue, dlq)
	}
	return errors.Join(c.close(), w.drain(ctx, queues...))
}

// resume tries until it is known to have happened, or not to be possible.
func (w *Admin) resume(ctx context.Context, c *Client, queue string) error {
	for {
		err := c.Resume(ctx, queue)
		if err == nil || errors.Is(err, client.ErrNotFound) || !sleep(ctx, rejoin) {
			return err
		}
	}
}

// Checkers of the workload.
func (w *Admin) Checkers(scale float64) []check.Checker {
	return []check.Checker{
		check.Accounting{
			Workload: w.Name(), Lease: time.Second, FailureLimit: adminFailures, DeadLetters: true, Churn: true,
			Floors: check.AccountingFloors{
				Confirmed: floor(1000, scale), Delivered: floor(800, scale), Settled: floor(800, scale),
			},
		},
		check.Conservation{Workload: w.Name(), Churn: true, Floors: check.ConservationFloors{Replicas: 1}},
		administered{floor(8, scale)},
	}
}

// administered has queues have been changed enough for the others to mean anything.
type administered struct{ floor int64 }

func (administered) Name() string { return "administered" }

// Check counts the changes that were made, of each kind.
func (a administered) Check(run *history.Run) check.Verdict {
	made := map[history.Kind]int64{}
	for _, o := range run.Ops {
		if o.Workload == "admin" && o.Outcome == history.OK {
			made[o.Kind]++
		}
	}
	v := check.NewVerdict(a.Name(), "admin")
	for _, kind := range []history.Kind{
		history.Create, history.Update, history.Delete, history.Purge, history.Pause, history.Resume, history.Read,
	} {
		v.Saw(string(kind), made[kind], a.floor)
	}
	return v.Done()
}
