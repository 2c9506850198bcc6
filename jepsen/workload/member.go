package workload

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/ferrymq/ferrymq/client"
)

// member is one place among the consumers of a queue. The clients that fill it
// follow each other: each lives for a while, ends its session, and the next one
// connects to another node.
type member struct {
	consuming
	place  int
	life   time.Duration   // about, of one client; 0: as long as the workload
	absent []error         // why a queue may refuse its consumers or end them
	opts   []client.Option // of every client
	handle func(*Delivery)
}

const (
	// stopTimeout is how long a consumer may take to end in order.
	stopTimeout = 5 * time.Second
	// A client that ends while nobody serves it leaves its leases to a grace of
	// up to 30 s, which the end of a run would wait for: of lonely such clients
	// one does, and the rest wait for service, for so long at the most.
	lonely          = 400
	servicePatience = 8 * time.Second
	// rejoin is the pause before a refused consumer is tried again.
	rejoin = 100 * time.Millisecond
)

// join starts a member, which works until the workload is drained.
func (w *crew) join(m member) {
	r := w.fork()
	w.consuming.Go(func() {
		for i := m.place; w.over.Err() == nil; i += 2 { // the same kind, at another node
			c, err := w.connect(w.over, w.name, i, m.opts...)
			if err != nil {
				return // drained
			}
			w.serve(c, m, r)
		}
	})
}

// serve is the life of one client.
func (w *crew) serve(c *Client, m member, r *rand.Rand) {
	k, err := c.Consume(context.WithoutCancel(w.over), m.consuming, w.fail, m.handle)
	if err != nil {
		w.judge(err, m.absent...)
		w.judge(c.close())
		sleep(w.over, rejoin)
		return
	}
	life := context.Background()
	if m.life > 0 {
		var cancel context.CancelFunc
		life, cancel = context.WithTimeout(life, time.Duration(float64(m.life)*(0.5+r.Float64())))
		defer cancel()
	}
	select {
	case <-k.Done():
		w.judge(k.Err(), m.absent...)
		sleep(w.over, rejoin)
	case <-life.Done():
		if r.IntN(2) == 0 {
			w.stop(k)
		}
	case <-w.over.Done():
		w.stop(k)
		c.open.wait()
	}
	if r.IntN(lonely) > 0 {
		c.awaitService(m.Queue, servicePatience)
	}
	w.judge(c.close())
	<-k.Done() // its handlers have returned, too
	c.open.wait()
}

// stop ends a consumer in order if that is possible in time.
func (w *crew) stop(k *Consumer) {
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	if err := k.Stop(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		w.fail(err)
	}
}

// awaitService waits until the cluster answers the client, whatever it says,
// or for so long.
func (c *Client) awaitService(queue string, patience time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for ctx.Err() == nil {
		_, err := c.conn.Queue(ctx, queue)
		if err == nil || errors.Is(err, client.ErrNotFound) || errors.Is(err, client.ErrClosed) || errors.Is(err, client.ErrFenced) {
			return
		}
		sleep(ctx, servicePoll)
	}
}

const servicePoll = 20 * time.Millisecond
