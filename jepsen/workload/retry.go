package workload

import (
	"context"
	"time"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/jepsen/check"
	"github.com/ferrymq/ferrymq/jepsen/history"
)

const (
	retryMain   = "retry-main"
	retryPoison = "retry-poison"

	retryBase  = 100 * time.Millisecond
	retryMax   = 300 * time.Millisecond
	retryLimit = 4

	// retryFor is the delay of nacks that say one.
	retryFor = 250 * time.Millisecond

	// Bystanders wait beside the poison when the first consumers come, which
	// prefetch them all. A message is blamed for one crash that is another's.
	poisonCrowd = 120
	poisonLimit = 2
)

// Retry is messages that fail: some get through in the end, some are dead,
// and some crash whoever works on them.
type Retry struct{ *crew }

// Name is the workload's.
func (w *Retry) Name() string { return "retry" }

// Setup makes the queues.
func (w *Retry) Setup(ctx context.Context, e *Env) error {
	w.crew = newCrew(e, w.Name())
	back := client.RetryPolicy{Kind: client.RetryExponential, Base: retryBase, Max: retryMax}
	if err := w.setup(ctx, client.QueueSettings{FailureLimit: retryLimit, Retry: back}, retryMain); err != nil {
		return err
	}
	back = client.RetryPolicy{Kind: client.RetryFixed, Base: retryBase}
	return w.setup(ctx, client.QueueSettings{FailureLimit: poisonLimit, Retry: back}, retryPoison)
}

// retryLeast is the shortest delay after so many failures: up to a quarter is
// taken off.
func retryLeast(failures int) time.Duration {
	return min(retryBase<<min(failures-1, 10), retryMax) * 3 / 4
}

// poisonSeq is where the poison stands in the crowd: there is one, since each
// takes the graces of two crashes until it is dead, one after the other.
const poisonSeq = 7

func poisonous(k history.Key) bool { return k.Seq == poisonSeq }

// Run starts with the poison: a crash is known as one only when the session's
// grace is over, and that has to happen twice.
func (w *Retry) Run(ctx context.Context, e *Env) error {
	first := make(chan struct{})
	w.employ(ctx, 0, func(p *producer) {
		defer close(first)
		for range poisonCrowd {
			w.publish(ctx, p, retryPoison)
		}
		p.open.wait()
	})
	for i := range 2 {
		w.risk(first, i)
		w.join(member{consuming: consuming{Queue: retryMain + ".dlq", Prefetch: 32}, place: i, handle: w.bury})
		w.join(member{consuming: consuming{Queue: retryPoison + ".dlq", Prefetch: 32}, place: i, handle: w.bury})
	}
	for i := range 3 {
		m := member{consuming: consuming{Queue: retryMain, Prefetch: 64}, place: i, handle: w.try}
		if i == 2 {
			m.life = 3 * time.Second
		}
		w.join(m)
	}
	for i := range 2 {
		w.produce(ctx, i, e.Rate*9/20, func(ctx context.Context, p *producer) { w.publish(ctx, p, retryMain) })
	}
	w.produce(ctx, 1, e.Rate/10, func(ctx context.Context, p *producer) {
		p.seq = max(p.seq, poisonCrowd) // none of those is poison
		w.publish(ctx, p, retryPoison)
	})
	w.producing.Wait()
	return w.err()
}

func (w *Retry) publish(ctx context.Context, p *producer, queue string) {
	w.judge(p.PublishAsync(ctx, queue, p.key(), p.rand.IntN(256), func(err error) { w.judge(err) }))
}

// try nacks messages: some until they are dead, some twice, and some once with
// a delay that it says.
func (w *Retry) try(d *Delivery) {
	var err error
	switch n := d.Key.Seq % 20; {
	case n == 0 || n <= 2 && d.base.Failures < 2:
		err = d.Nack(context.Background(), client.ReasonMessage)
	case n == 3 && d.base.Failures == 0:
		err = d.NackFor(context.Background(), retryFor)
	default:
		d.AckThen(func(err error) { w.judge(err, client.ErrLeaseLost) })
	}
	w.judge(err, client.ErrLeaseLost)
}

// bury has a dead letter tell its life.
func (w *Retry) bury(d *Delivery) {
	d.noteDeath()
	d.AckThen(func(err error) { w.judge(err, client.ErrLeaseLost) })
}

// risk is a place among the consumers of the queue with the poison, whose
// clients crash. It is taken when the queue is full of messages.
func (w *Retry) risk(first <-chan struct{}, place int) {
	w.consuming.Go(func() {
		select {
		case <-first:
		case <-w.over.Done():
		}
		for i := place; w.over.Err() == nil; i += 2 {
			w.crash(i)
		}
	})
}

// crash is the life of one client that ends when it works on poison: its
// connection breaks, and it never says another word.
func (w *Retry) crash(i int) {
	f := NewFuse(w.Env)
	c, err := w.connect(w.over, w.name, i, client.WithDialer(f.Dial))
	if err != nil {
		return // drained
	}
	k, err := c.Consume(context.WithoutCancel(w.over), consuming{Queue: retryPoison, Prefetch: 100, Concurrency: 8}, w.fail,
		func(d *Delivery) {
			if poisonous(d.Key) {
				c.gone(check.Crashed)
				f.Blow()
				return
			}
			d.Hold(time.Millisecond)
			d.AckThen(func(err error) { w.judge(err, client.ErrLeaseLost) })
		})
	if err != nil {
		w.judge(err)
		w.judge(c.close())
		sleep(w.over, rejoin)
		return
	}
	select {
	case <-f.Blown():
	case <-k.Done():
		w.judge(k.Err())
	case <-w.over.Done():
		w.stop(k)
		c.open.wait()
	}
	w.judge(c.close())
	<-k.Done()
	c.open.wait()
}

// Drain waits until what fails is dead.
func (w *Retry) Drain(ctx context.Context, _ *Env) error {
	return w.drain(ctx, retryMain, retryPoison, retryMain+".dlq", retryPoison+".dlq")
}

// Checkers of the workload.
func (w *Retry) Checkers(scale float64) []check.Checker {
	deaths := []string{"failures"}
	return []check.Checker{
		check.Backoff{Workload: w.Name(), Queues: []string{retryMain}, Least: retryLeast, Floors: check.BackoffFloors{
			ByPolicy: floor(300, scale), ByNack: floor(50, scale),
		}},
		check.Obituaries{Workload: w.Name(), Queues: []string{retryMain}, Limit: retryLimit, Floor: floor(50, scale)},
		check.Fates{Workload: w.Name(), Queues: []string{retryMain}, Deaths: deaths, Floors: check.FatesFloors{
			Confirmed: floor(2000, scale), Delivered: floor(2000, scale), Dead: floor(50, scale),
		}},
		check.Poison{Workload: w.Name(), Queue: retryPoison, Poison: poisonous, Floors: check.PoisonFloors{
			Poison: 1, Bystanders: poisonCrowd / 2,
		}},
		check.Fates{Workload: w.Name(), Queues: []string{retryPoison}, Deaths: deaths, Floors: check.FatesFloors{
			Confirmed: poisonCrowd / 2, Dead: 1,
		}},
	}
}
