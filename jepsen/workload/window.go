package workload

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/jepsen/check"
	"github.com/ferrymq/ferrymq/jepsen/history"
)

const (
	windowQueue    = "window"
	windowTime     = time.Hour // longer than any run
	windowCapacity = 1_000_000
	windowRate     = 300
	windowBytes    = 64
	windowBurst    = 16  // repeats of one session
	windowRecent   = 300 // messages from which those are drawn
)

// Window is producers that publish under message ids, and others that publish
// the same again, each batch in a session of its own, as who has lost its
// memory would.
type Window struct {
	*crew

	mu     sync.Mutex
	recent []published // a ring
	next   int
}

// published is a message and whether it was confirmed.
type published struct {
	key       history.Key
	confirmed bool
}

// Name is the workload's.
func (w *Window) Name() string { return "window" }

// Setup makes the queue.
func (w *Window) Setup(ctx context.Context, e *Env) error {
	w.crew = newCrew(e, w.Name())
	return w.setup(ctx, client.QueueSettings{
		FailureLimit: client.FailureLimitUnlimited, Retry: atOnce, Dedup: windowTime, DedupCapacity: windowCapacity,
	}, windowQueue)
}

// Run has as many repeats as messages.
func (w *Window) Run(ctx context.Context, e *Env) error {
	rate := min(e.Rate, windowRate) / 4
	for i := range 2 {
		w.join(member{consuming: consuming{Queue: windowQueue, Prefetch: 32}, place: i, handle: func(d *Delivery) {
			d.AckThen(func(err error) { w.judge(err, client.ErrLeaseLost) })
		}})
		w.produce(ctx, i, rate, w.publish)
		r := w.fork()
		w.producing.Go(func() { w.repeat(ctx, i, rate, r) })
	}
	w.producing.Wait()
	return w.err()
}

// identified is a message under its id.
func (c *Client) identified(k history.Key, size int) (history.Op, client.Message) {
	o, m := c.message(windowQueue, k, size)
	m.DedupID = k.String()
	return o, m
}

func (w *Window) publish(ctx context.Context, p *producer) {
	k := p.key()
	o, m := p.identified(k, windowBytes)
	w.judge(p.send(ctx, o, m, func(err error) {
		w.judge(err)
		w.remember(published{k, err == nil})
	}))
}

func (w *Window) remember(x published) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.recent) < windowRecent {
		w.recent = append(w.recent, x)
		return
	}
	w.recent[w.next] = x
	w.next = (w.next + 1) % windowRecent
}

func (w *Window) draw(r *rand.Rand) (published, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.recent) == 0 {
		return published{}, false
	}
	return w.recent[r.IntN(len(w.recent))], true
}

// repeat publishes again, in one session after the other. A body other than the
// first one is published only when that is certainly known.
func (w *Window) repeat(ctx context.Context, i int, rate float64, r *rand.Rand) {
	pause := time.Duration(windowBurst / rate * float64(time.Second))
	for sleep(ctx, time.Duration(r.Int64N(int64(2*pause)))) {
		c, err := w.connect(ctx, w.name, i)
		if err != nil {
			return // ctx ended first
		}
		i += 2
		for range windowBurst {
			x, any := w.draw(r)
			if !any {
				break
			}
			size, other := windowBytes, x.confirmed && r.IntN(4) == 0
			if other {
				size *= 2
			}
			o, m := c.identified(x.key, size)
			if o.Kind = check.Republish; other {
				o.Value = 1
			}
			w.judge(c.send(ctx, o, m, func(err error) { w.judge(err, client.ErrConflict) }))
		}
		c.open.wait()
		w.judge(c.close())
	}
}

// Drain has the consumers take what is left.
func (w *Window) Drain(ctx context.Context, _ *Env) error { return w.drain(ctx, windowQueue) }

// Checkers of the workload.
func (w *Window) Checkers(scale float64) []check.Checker {
	return []check.Checker{check.Window{Workload: w.Name(), Queue: windowQueue, Floors: check.WindowFloors{
		Confirmed: floor(300, scale), Duplicates: floor(200, scale), Conflicts: floor(40, scale),
	}}}
}
