package load

import (
	"context"
	"errors"
	"time"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/cmd/ferry/internal/latency"
)

// errorsMax is how many failures end a connection's part: nothing is measured
// any more then.
const errorsMax = 1000

var errTooManyErrors = errors.New("too many errors")

// publish sends as fast as the window lets.
func (r *run) publish(ctx context.Context, c *client.Conn, l latency.Set) error {
	for ctx.Err() == nil && r.meter.next() {
		if r.meter.errors.Load() > errorsMax {
			return errTooManyErrors
		}
		sent := time.Now()
		err := c.PublishAsync(ctx, r.queue, client.Message{Body: r.body()}, func(_ client.Receipt, err error) {
			now := time.Now()
			if err != nil {
				r.meter.fail(err)
			} else if r.meter.done(now) {
				l.Add(now.Sub(sent))
			}
		})
		if err != nil {
			return err
		}
	}
	return r.flush(ctx, c)
}

// flush waits for what is in flight, bounded.
func (r *run) flush(ctx context.Context, c *client.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, drainTimeout)
	defer cancel()
	return c.Flush(ctx)
}

// single waits for each confirm.
func (r *run) single(ctx context.Context, c *client.Conn, l latency.Set) error {
	for ctx.Err() == nil && r.meter.next() {
		sent := time.Now()
		_, err := c.Publish(ctx, r.queue, client.Message{Body: r.body()})
		now := time.Now()
		if err != nil {
			r.meter.fail(err)
			if r.meter.errors.Load() > errorsMax {
				return errTooManyErrors
			}
		} else if r.meter.done(now) {
			l.Add(now.Sub(sent))
		}
	}
	return ctx.Err()
}
