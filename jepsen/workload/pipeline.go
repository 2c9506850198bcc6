package workload

import (
	"context"
	"time"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/jepsen/check"
)

const (
	pipelineIn  = "pipeline-in"
	pipelineOut = "pipeline-out"

	// pipelineLease is short: some who work on a message sleep over it.
	pipelineLease = time.Second
)

// Pipeline is workers that ack a message and publish its result in one step,
// so that there is one result of each, whatever befalls them.
type Pipeline struct{ *crew }

// Name is the workload's.
func (w *Pipeline) Name() string { return "pipeline" }

// Setup makes the two queues.
func (w *Pipeline) Setup(ctx context.Context, e *Env) error {
	w.crew = newCrew(e, w.Name())
	return w.setup(ctx, client.QueueSettings{
		Lease: pipelineLease, FailureLimit: client.FailureLimitUnlimited, Retry: atOnce,
	}, pipelineIn, pipelineOut)
}

// Run has workers of which every second one is left without its lease if it
// sleeps, and two come and go.
func (w *Pipeline) Run(ctx context.Context, e *Env) error {
	for i := range 4 {
		m := member{
			consuming: consuming{Queue: pipelineIn, Prefetch: 16, Lease: pipelineLease, NoExtend: i%2 == 1},
			place:     i, handle: w.step,
		}
		if i >= 2 {
			m.life = 3 * time.Second
		}
		w.join(m)
	}
	for i := range 2 {
		w.join(member{consuming: consuming{Queue: pipelineOut, Prefetch: 64}, place: i, handle: w.take})
		w.produce(ctx, i, e.Rate/2, w.publish)
	}
	w.producing.Wait()
	return w.err()
}

func (w *Pipeline) publish(ctx context.Context, p *producer) {
	w.judge(p.PublishAsync(ctx, pipelineIn, p.key(), p.rand.IntN(512), func(err error) { w.judge(err) }))
}

// step works on a message.
func (w *Pipeline) step(d *Delivery) {
	r := w.dice(d)
	if r.IntN(50) == 0 {
		d.Oversleep(w.over, pipelineLease+time.Duration(r.IntN(500))*time.Millisecond)
	} else {
		d.Hold(time.Duration(r.IntN(10)) * time.Millisecond)
	}
	w.judge(d.Pass(context.Background(), pipelineOut, r.IntN(512)), client.ErrLeaseLost)
}

func (w *Pipeline) take(d *Delivery) {
	d.AckThen(func(err error) { w.judge(err, client.ErrLeaseLost) })
}

// Drain has the workers and those behind them do what is left.
func (w *Pipeline) Drain(ctx context.Context, _ *Env) error {
	return w.drain(ctx, pipelineIn, pipelineOut)
}

// Checkers of the workload.
func (w *Pipeline) Checkers(scale float64) []check.Checker {
	return []check.Checker{
		check.Pipeline{Workload: w.Name(), From: pipelineIn, To: pipelineOut, Floors: check.PipelineFloors{
			Results: floor(2000, scale), Refused: floor(5, scale),
		}},
		check.Accounting{
			Workload: w.Name(), Queues: []string{pipelineIn}, Lease: pipelineLease,
			Floors: check.AccountingFloors{
				Confirmed: floor(2000, scale), Delivered: floor(2000, scale), Settled: floor(2000, scale),
				Redelivered: floor(10, scale),
			},
		},
	}
}
