package workload

import (
	"context"
	"fmt"
	"time"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/jepsen/check"
	"github.com/ferrymq/ferrymq/jepsen/history"
)

const (
	groupsQueue     = "groups"
	groupsLease     = time.Second
	groupsLimit     = 3
	groupsBack      = 50 * time.Millisecond
	groupsProducers = 2
	groupsEach      = 6 // groups of a producer

	// groupsRate bounds the messages a second: those of a group wait for each
	// other, and for whoever sleeps over a lease.
	groupsRate = 150
)

// Groups is messages of many groups, each in its order, whatever fails. Each
// group has a producer's number of its own in the history.
type Groups struct{ *crew }

// Name is the workload's.
func (w *Groups) Name() string { return "groups" }

// Setup makes the queue.
func (w *Groups) Setup(ctx context.Context, e *Env) error {
	w.crew = newCrew(e, w.Name())
	return w.setup(ctx, client.QueueSettings{
		Lease: groupsLease, FailureLimit: groupsLimit,
		Retry: client.RetryPolicy{Kind: client.RetryFixed, Base: groupsBack}, GroupFailure: client.GroupBlock,
	}, groupsQueue)
}

// Run has consumers compete, of which some come and go and some are left
// without their lease if they sleep.
func (w *Groups) Run(ctx context.Context, e *Env) error {
	for i := range 4 {
		m := member{
			consuming: consuming{Queue: groupsQueue, Prefetch: 8, Lease: groupsLease, NoExtend: i%2 == 1},
			place:     i, handle: w.work,
		}
		if i >= 2 {
			m.life = 3 * time.Second
		}
		w.join(m)
	}
	w.join(member{consuming: consuming{Queue: groupsQueue + ".dlq", Prefetch: 32}, handle: w.take})
	for i := range groupsProducers {
		lanes := make([]history.Key, groupsEach)
		for n := range lanes {
			lanes[n].Producer = e.Recorder.Producer()
		}
		w.produce(ctx, i, min(e.Rate, groupsRate)/groupsProducers, func(ctx context.Context, p *producer) {
			k := &lanes[p.rand.IntN(groupsEach)]
			k.Seq++
			o, m := p.message(groupsQueue, *k, p.rand.IntN(256))
			m.GroupKey = fmt.Sprintf("group-%d", k.Producer)
			w.judge(p.send(ctx, o, m, func(err error) { w.judge(err) }))
		})
	}
	w.producing.Wait()
	return w.err()
}

// work fails some messages once, and some until they are dead. Now and then it
// sleeps.
func (w *Groups) work(d *Delivery) {
	r := w.dice(d)
	if r.IntN(80) == 0 {
		d.Oversleep(w.over, groupsLease+time.Duration(r.IntN(300))*time.Millisecond)
	} else {
		d.Hold(time.Duration(r.IntN(5)) * time.Millisecond)
	}
	if n := d.Key.Seq % 20; n == 0 || n <= 2 && d.base.Failures == 0 {
		w.judge(d.Nack(context.Background(), client.ReasonMessage), client.ErrLeaseLost)
		return
	}
	w.take(d)
}

func (w *Groups) take(d *Delivery) { d.AckThen(func(err error) { w.judge(err, client.ErrLeaseLost) }) }

// Drain has the consumers take what is left.
func (w *Groups) Drain(ctx context.Context, _ *Env) error {
	return w.drain(ctx, groupsQueue, groupsQueue+".dlq")
}

// Checkers of the workload.
func (w *Groups) Checkers(scale float64) []check.Checker {
	confirmed := floor(500, scale)
	return []check.Checker{
		check.Groups{Workload: w.Name(), Queue: groupsQueue, Lease: groupsLease, Floors: check.GroupsFloors{
			Groups: groupsProducers * groupsEach / 2, Grants: confirmed, Retried: floor(80, scale),
		}},
		check.ProducerOrder{Workload: w.Name(), Queues: []string{groupsQueue}, InOrder: true, Floors: check.OrderFloors{
			Published: confirmed, Delivered: confirmed,
		}},
		check.Fates{Workload: w.Name(), Queues: []string{groupsQueue}, Deaths: []string{"failures"}, Floors: check.FatesFloors{
			Confirmed: confirmed, Delivered: confirmed, Dead: floor(15, scale),
		}},
	}
}
