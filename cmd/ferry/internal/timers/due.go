package timers

import (
	"context"
	"encoding/binary"
	"time"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/cmd/ferry/internal/latency"
)

// arrivals is when timers arrived at one consumer, against when they were due.
// Only its own goroutine uses it until that has ended.
type arrivals struct {
	early    int
	lateness latency.Set
}

// receive takes timers and acks them until ctx ends.
func (a *arrivals) receive(ctx context.Context, c *client.Conn, t *tally) error {
	return consume(ctx, c, timersQueue, t, func(d *client.Delivery, now time.Time) {
		if now.Before(d.DeliverAt) {
			a.early++
		}
		a.lateness.Add(now.Sub(d.DeliverAt))
	}, nil)
}

// consume acks everything in a queue until ctx ends. What counts is told to
// arrived when it is there, and to acked, unless nil, when its ack is confirmed.
func consume(ctx context.Context, c *client.Conn, queue string, t *tally,
	arrived func(*client.Delivery, time.Time), acked func(number uint64, now time.Time)) error {
	for d, err := range c.Messages(ctx, queue, client.WithPrefetch(prefetch)) {
		if err != nil {
			if ctx.Err() != nil {
				return nil // asked to stop
			}
			return err
		}
		now := time.Now()
		number := binary.BigEndian.Uint64(d.Body)
		counts := t.arrive(number)
		if counts {
			arrived(d, now)
		}
		d.AckAsync(func(err error) {
			switch {
			case err != nil:
				t.fail(err)
			case counts:
				if acked != nil {
					acked(number, time.Now())
				}
				t.settled()
			}
		})
	}
	return nil
}
