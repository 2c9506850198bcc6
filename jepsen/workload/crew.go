package workload

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/jepsen/history"
)

// crew is the clients of a workload: producers, which end with Run, and
// consumers, which end when Drain has seen the queues empty. It owns their
// goroutines and gathers the errors that no fault excuses.
type crew struct {
	*Env
	name      string
	seed      uint64 // of what a message decides for itself
	producing sync.WaitGroup
	consuming sync.WaitGroup
	over      context.Context // ends when the consumers are to
	end       context.CancelFunc

	mu   sync.Mutex
	errs []error
}

func newCrew(e *Env, name string) *crew {
	w := &crew{Env: e, name: name, seed: e.Rand.Uint64()}
	w.over, w.end = context.WithCancel(context.Background())
	return w
}

// errsMax bounds the errors kept: one is enough to fail a run.
const errsMax = 10

func (w *crew) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.errs) < errsMax {
		w.errs = append(w.errs, fmt.Errorf("%s: %w", w.name, err))
	}
}

func (w *crew) err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return errors.Join(w.errs...)
}

// judge fails the run with an outcome that is neither success nor unknown nor
// a refusal that a fault or the workload itself brings about.
func (w *crew) judge(err error, targets ...error) {
	if err != nil && !expected(err, targets...) {
		w.fail(err)
	}
}

// fork makes randomness for one goroutine. It is called from the one that
// calls the workload.
func (w *crew) fork() *rand.Rand { return rand.New(rand.NewPCG(w.Rand.Uint64(), w.Rand.Uint64())) }

// dice is the randomness of one delivery, whichever goroutine has it.
func (w *crew) dice(d *Delivery) *rand.Rand { return rand.New(rand.NewPCG(w.seed, d.Token)) }

// atOnce lets a message that failed be ready at once, at its place. Package
// witness knows no other policy, and what waits is behind in the order of its queue.
var atOnce = client.RetryPolicy{Kind: client.RetryImmediate}

// setup makes queues.
func (w *crew) setup(ctx context.Context, s client.QueueSettings, queues ...string) error {
	c, err := w.connect(ctx, w.name, 0)
	if err != nil {
		return err
	}
	for _, queue := range queues {
		err = errors.Join(err, c.Create(ctx, queue, s))
	}
	return errors.Join(err, c.close())
}

// producer is a client that publishes, and the order in which it does.
type producer struct {
	*Client
	id   uint32
	seq  uint64
	rand *rand.Rand
}

// key is the next message's.
func (p *producer) key() history.Key {
	p.seq++
	return history.Key{Producer: p.id, Seq: p.seq}
}

// produce starts the i-th producer. It calls publish about rate times a
// second, in bursts of up to a quarter of a second's, until ctx ends. opts,
// which may be nil, gives options of its client.
func (w *crew) produce(ctx context.Context, i int, rate float64, publish func(context.Context, *producer), opts ...client.Option) {
	burst := max(1, int(rate/4))
	w.employ(ctx, i, func(p *producer) {
		for more := true; more; {
			n := 1 + p.rand.IntN(burst)
			for i := 0; i < n && ctx.Err() == nil; i++ {
				publish(ctx, p)
			}
			pause := float64(n) / rate * (0.5 + p.rand.Float64())
			more = sleep(ctx, time.Duration(pause*float64(time.Second)))
		}
	}, opts...)
}

// employ starts the i-th producer, which is one until work returns and all
// that it has published is answered.
func (w *crew) employ(ctx context.Context, i int, work func(*producer), opts ...client.Option) {
	p := &producer{id: w.Recorder.Producer(), rand: w.fork()}
	w.producing.Go(func() {
		c, err := w.connect(ctx, w.name, i, opts...)
		if err != nil {
			return // ctx ended first
		}
		p.Client = c
		work(p)
		c.open.wait()
		w.judge(c.close())
	})
}

// drainPoll is how often queues are looked at while they empty, and
// drainQuiet how long they have to stay empty: what a closed connection has
// left under way may still arrive.
const (
	drainPoll  = 100 * time.Millisecond
	drainQuiet = time.Second
)

// drain waits until the queues are empty, ends the consumers, and tells
// everything that went wrong.
func (w *crew) drain(ctx context.Context, queues ...string) error {
	c, err := w.connect(ctx, w.name, 0)
	if err == nil {
		err = errors.Join(w.emptied(ctx, c, queues), c.close())
	}
	w.end()
	w.consuming.Wait()
	return errors.Join(err, w.err())
}

// emptied waits until the queues hold nothing, or are gone.
func (w *crew) emptied(ctx context.Context, c *Client, queues []string) error {
	var left error
	for since := time.Now(); ; {
		now := w.remaining(ctx, c, queues)
		switch {
		case ctx.Err() != nil:
			return fmt.Errorf("%s: not drained: %w", w.name, errors.Join(left, ctx.Err()))
		case now != nil:
			left, since = now, time.Now()
		case time.Since(since) >= drainQuiet:
			return nil
		}
		sleep(ctx, drainPoll)
	}
}

// remaining says what the queues hold, or why that is not known.
func (w *crew) remaining(ctx context.Context, c *Client, queues []string) (left error) {
	for _, queue := range queues {
		q, err := c.Read(ctx, queue)
		switch {
		case errors.Is(err, client.ErrNotFound):
		case err != nil:
			left = errors.Join(left, err)
		case QueueOf(q).Left() > 0:
			left = errors.Join(left, fmt.Errorf("queue %s has %d ready, %d leased, %d scheduled, %d retrying, %d parked; consumers %d, paused %t",
				queue, q.Ready, q.Leased, q.Scheduled, q.Retrying, q.Parked, q.Consumers, q.Paused))
		}
	}
	return left
}
