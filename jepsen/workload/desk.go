package workload

import (
	"context"
	"errors"
	"time"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/jepsen/check"
)

const (
	deskIn    = "desk-in" // nobody consumes it
	deskOut   = "desk-out"
	deskPause = 50 * time.Millisecond
	deskBatch = 40
	deskRate  = 150 // bounds the messages a second
)

// Desk is two operators who look through a queue, put off some of its messages
// and move all of them to another queue, by id, in each other's way.
type Desk struct{ *crew }

// Name is the workload's.
func (w *Desk) Name() string { return "desk" }

// Setup makes the queues.
func (w *Desk) Setup(ctx context.Context, e *Env) error {
	w.crew = newCrew(e, w.Name())
	return w.setup(ctx, client.QueueSettings{FailureLimit: client.FailureLimitUnlimited, Retry: atOnce}, deskIn, deskOut)
}

// Run has the operators work beside a producer.
func (w *Desk) Run(ctx context.Context, e *Env) error {
	for i := range 2 {
		w.join(member{consuming: consuming{Queue: deskOut, Prefetch: 32}, place: i, handle: w.take})
		w.operate(i)
	}
	w.produce(ctx, 0, min(e.Rate, deskRate), func(ctx context.Context, p *producer) {
		w.judge(p.PublishAsync(ctx, deskIn, p.key(), p.rand.IntN(256), func(err error) { w.judge(err) }))
	})
	w.producing.Wait()
	return w.err()
}

// operate starts an operator, who works until the queues are drained.
func (w *Desk) operate(i int) {
	r := w.fork()
	w.consuming.Go(func() {
		c, err := w.connect(w.over, w.name, i)
		if err != nil {
			return // drained
		}
		for sleep(w.over, deskPause) {
			refs := w.look(c)
			if len(refs) == 0 {
				continue
			}
			some := refs[:r.IntN(len(refs))/4]
			if len(some) > 0 {
				w.each(c.conn.ScheduleMessages(w.over, deskIn, time.Now().Add(2*deskPause), some...))
			}
			w.each(c.conn.MoveMessages(w.over, deskIn, client.Move{To: deskOut, Reset: true}, refs...))
		}
		w.judge(c.close())
	})
}

// look finds messages at the front of the queue.
func (w *Desk) look(c *Client) (refs []client.MessageRef) {
	for m, err := range c.conn.Browse(w.over, deskIn, client.Filter{}) {
		if err != nil {
			w.each(nil, err)
			break
		}
		if refs = append(refs, m.MessageRef); len(refs) == deskBatch {
			break
		}
	}
	return refs
}

// each judges what became of each message: the other operator may have been
// first.
func (w *Desk) each(errs []error, err error) {
	for _, err := range append(errs, err) {
		if !errors.Is(err, context.Canceled) {
			w.judge(err, client.ErrNotFound)
		}
	}
}

func (w *Desk) take(d *Delivery) { d.AckThen(func(err error) { w.judge(err, client.ErrLeaseLost) }) }

// Drain has the operators and the consumers do what is left.
func (w *Desk) Drain(ctx context.Context, _ *Env) error { return w.drain(ctx, deskIn, deskOut) }

// Checkers of the workload.
func (w *Desk) Checkers(scale float64) []check.Checker {
	confirmed := floor(300, scale)
	return []check.Checker{
		check.Accounting{Workload: w.Name(), Moved: true, Floors: check.AccountingFloors{
			Confirmed: confirmed, Delivered: confirmed, Settled: confirmed,
		}},
	}
}
