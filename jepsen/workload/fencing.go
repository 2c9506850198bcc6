package workload

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/jepsen/check"
	"github.com/ferrymq/ferrymq/jepsen/history"
	"github.com/ferrymq/ferrymq/jepsen/witness"
)

const (
	fencingLocks = 3
	fencingLease = time.Second
	fencingHold  = 250 * time.Millisecond // the longest that holders keep a lock, on average
)

// Fencing is locks: queues with one message, whose lease is the lock and whose
// token the fence. Who holds one writes to a resource. Some holders sleep over
// their lease and write all the same.
type Fencing struct {
	*crew
	keeper *Client // publishes the locks' messages
	id     uint32  // the producer that it is
	seq    atomic.Uint64
	locks  [fencingLocks]resource
	hold   time.Duration
	ending atomic.Bool // locks are given up for good
}

// Name is the workload's.
func (w *Fencing) Name() string { return "fencing" }

// Setup makes the locks' queues.
func (w *Fencing) Setup(ctx context.Context, e *Env) error {
	w.crew, w.id = newCrew(e, w.Name()), e.Recorder.Producer()
	cycles := min(max(e.Rate/10, fencingLocks), 60) // a second, of all locks
	w.hold = min(fencingHold, time.Duration(fencingLocks/cycles*float64(time.Second)))
	for i := range w.locks {
		w.locks[i].queue = fmt.Sprintf("fencing-%d", i)
		s := client.QueueSettings{Lease: fencingLease, FailureLimit: client.FailureLimitUnlimited, Retry: atOnce}
		if err := w.setup(ctx, s, w.locks[i].queue); err != nil {
			return err
		}
	}
	return nil
}

// Run has three contend for each lock. One of them comes and goes; only one
// has its lease extended by the library.
func (w *Fencing) Run(ctx context.Context, _ *Env) error {
	defer w.ending.Store(true)
	var err error
	if w.keeper, err = w.connect(ctx, w.name, 0); err != nil {
		return nil // ctx ended first
	}
	for i := range w.locks {
		l := &w.locks[i]
		for place := range 3 {
			m := member{
				consuming: consuming{Queue: l.queue, Prefetch: 1, Lease: fencingLease, NoExtend: place > 0},
				place:     i + place,
				handle:    func(d *Delivery) { w.holder(l, d, place) },
			}
			if place == 2 {
				m.life = 4 * time.Second
			}
			w.join(m)
		}
		w.release(ctx, l)
	}
	<-ctx.Done()
	return w.err()
}

// holder has the lock.
func (w *Fencing) holder(l *resource, d *Delivery, place int) {
	r := w.dice(d)
	l.write(d)
	switch n := r.IntN(20); {
	case w.ending.Load():
	case n < 2:
		d.Oversleep(w.over, fencingLease+time.Duration(r.Int64N(int64(fencingLease))))
	case n < 5 && place > 0:
		w.judge(d.Extend(context.Background()), client.ErrLeaseLost)
		fallthrough
	default:
		d.Hold(time.Duration(r.Int64N(int64(2 * w.hold))))
	}
	l.write(d)
	w.leave(l, d, r, place)
}

// leave hands the lock on. Only who does not come and go may take its message
// away: a client that ends does not know whether it did.
func (w *Fencing) leave(l *resource, d *Delivery, r *rand.Rand, place int) {
	if !w.ending.Load() && (place == 2 || r.IntN(20) > 0) {
		w.judge(d.Nack(context.Background(), client.ReasonShutdown), client.ErrLeaseLost)
		return
	}
	acked := make(chan error, 1)
	d.AckThen(func(err error) { acked <- err })
	err := <-acked
	w.judge(err, client.ErrLeaseLost)
	if err == nil {
		w.release(w.over, l)
	}
}

// release publishes the lock's next message. A lock whose message may or may
// not be there rests from then on: there must not be two.
func (w *Fencing) release(ctx context.Context, l *resource) {
	for !w.ending.Load() {
		err := w.keeper.Publish(context.WithoutCancel(ctx), l.queue, history.Key{Producer: w.id, Seq: w.seq.Add(1)}, 0)
		w.judge(err)
		if OutcomeOf(err) != history.Fail || !sleep(ctx, rejoin) {
			return
		}
	}
}

// Drain has the contenders give the locks up.
func (w *Fencing) Drain(ctx context.Context, _ *Env) error {
	var queues []string
	for i := range w.locks {
		queues = append(queues, w.locks[i].queue)
	}
	err := w.drain(ctx, queues...)
	if w.keeper != nil {
		err = errors.Join(err, w.keeper.close())
	}
	return err
}

// Checkers of the workload.
func (w *Fencing) Checkers(scale float64) []check.Checker {
	return []check.Checker{
		check.Fencing{Workload: w.Name(), Lease: fencingLease, Floors: check.FencingFloors{
			Grants: floor(100, scale), Writes: floor(200, scale), Fenced: floor(2, scale),
		}},
		check.Automata{Workload: w.Name(), Lease: fencingLease, Floors: check.AutomataFloors{
			Messages: fencingLocks, Leases: floor(100, scale), Settles: floor(80, scale), Refused: floor(2, scale),
		}},
		witness.Lock{Workload: w.Name(), Operations: floor(150, scale), Windows: floor(3, scale)},
	}
}

// resource is what a lock guards: it takes no write with a token below one that
// it has seen. It knows nothing of queues.
type resource struct {
	queue string

	mu      sync.Mutex
	highest uint64
}

// write writes, and has it written down in the order in which it happens.
func (l *resource) write(d *Delivery) {
	o := d.base
	o.Kind, o.Value = check.Write, 0
	l.mu.Lock()
	defer l.mu.Unlock()
	place := d.c.env.Recorder.Invoke(o)
	if d.Token < l.highest {
		d.c.env.Recorder.Complete(place, history.Fail, func(o *history.Op) { o.Code = check.CodeFenced })
		return
	}
	l.highest = d.Token
	d.c.env.Recorder.Complete(place, history.OK, nil)
}
