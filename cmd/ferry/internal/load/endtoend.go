package load

import (
	"context"
	"encoding/binary"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/cmd/ferry/internal/latency"
)

// endToEnd publishes on one connection while another consumes. Any consumer
// may get any message, so the room for the backlog is common to all.
func (r *run) endToEnd(ctx context.Context, producer, consumer *client.Conn, l latency.Set) error {
	consuming, stop := context.WithCancel(ctx)
	defer stop()
	var wg sync.WaitGroup
	var consumed error
	wg.Go(func() { consumed = r.consume(consuming, consumer, l) })
	produced := r.produce(ctx, producer)
	if produced == nil {
		produced = r.drained(ctx)
	}
	stop()
	wg.Wait()
	return errors.Join(produced, consumed)
}

// produce publishes, and waits while too much is not acked.
func (r *run) produce(ctx context.Context, c *client.Conn) error {
	for ctx.Err() == nil && r.meter.next() {
		if err := r.room(ctx); err != nil {
			return err
		}
		r.flow.published.Add(1)
		err := c.PublishAsync(ctx, r.queue, client.Message{Body: r.body()}, func(_ client.Receipt, err error) {
			if err != nil {
				r.flow.published.Add(-1)
				r.meter.fail(err)
			}
		})
		if err != nil {
			r.flow.published.Add(-1)
			return err
		}
		if r.meter.errors.Load() > errorsMax {
			return errTooManyErrors
		}
	}
	return r.flush(ctx, c)
}

// consume acks everything; a message counts once its ack is confirmed.
func (r *run) consume(ctx context.Context, c *client.Conn, l latency.Set) error {
	for d, err := range c.Messages(ctx, r.queue, client.WithPrefetch(prefetch), client.WithPrefetchBytes(32<<20)) {
		if err != nil {
			if ctx.Err() != nil {
				return nil // asked to stop
			}
			return err
		}
		got := time.Now()
		sent := time.Unix(0, int64(binary.BigEndian.Uint64(d.Body)))
		if !got.Before(r.meter.start) {
			l.Add(got.Sub(sent))
		}
		d.AckAsync(func(err error) {
			if err != nil {
				r.meter.fail(err)
				return
			}
			r.flow.acked.Add(1)
			r.flow.wake()
			r.meter.done(time.Now())
		})
	}
	return nil
}

// flow is how far the end-to-end workload is.
type flow struct {
	published, acked atomic.Int64
	moved            chan struct{}
}

func (f *flow) wake() {
	select {
	case f.moved <- struct{}{}:
	default:
	}
}

const flowPoll = 2 * time.Millisecond

// room waits until one more message may be in the queue.
func (r *run) room(ctx context.Context) error {
	return r.until(ctx, func(behind int64) bool { return behind < int64(backlogPerConnection*r.o.Connections) })
}

// drained waits until everything is acked.
func (r *run) drained(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, drainTimeout)
	defer cancel()
	return r.until(ctx, func(behind int64) bool { return behind <= 0 })
}

func (r *run) until(ctx context.Context, enough func(behind int64) bool) error {
	if enough(r.flow.published.Load() - r.flow.acked.Load()) {
		return nil
	}
	// Several wait for one channel, so each also looks by itself.
	t := time.NewTicker(flowPoll)
	defer t.Stop()
	for !enough(r.flow.published.Load() - r.flow.acked.Load()) {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-r.flow.moved:
		case <-t.C:
		}
	}
	return nil
}
