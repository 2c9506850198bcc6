package workload

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/jepsen/history"
)

// consuming says how a consumer takes messages.
type consuming struct {
	Queue       string
	Prefetch    int
	Concurrency int           // 0: as many as are prefetched
	Lease       time.Duration // 0: the queue's, which is then not known here
	NoAck       bool
	NoExtend    bool
}

func (k consuming) options(report func(error)) []client.ConsumeOption {
	opts := []client.ConsumeOption{
		client.WithPrefetch(k.Prefetch), client.WithLease(k.Lease), client.WithAutoExtend(!k.NoExtend),
		client.WithErrorFunc(report),
	}
	if k.Concurrency == 0 {
		k.Concurrency = k.Prefetch
	}
	if k.NoAck {
		opts = append(opts, client.WithoutAcks())
	}
	return append(opts, client.WithConcurrency(k.Concurrency))
}

// errWrong is what no fault excuses: a message that nobody has published so.
var errWrong = errors.New("wrong bytes delivered")

// Consumer is a consumer and its number in the history.
type Consumer struct {
	*client.Consumer
	c  *Client
	id uint32
}

// Stop ends the consumer in order: what it prefetched goes back, and is given
// to others after the event.
func (k *Consumer) Stop(ctx context.Context) error {
	o := k.c.op(history.Gone, "")
	o.Consumer = k.id
	k.c.env.Recorder.Event(o)
	return k.Consumer.Stop(ctx)
}

// Consume has handle, which settles them itself, run on the messages of a
// queue. fail is told of messages that are not as they were published.
func (c *Client) Consume(ctx context.Context, k consuming, fail func(error), handle func(*Delivery)) (*Consumer, error) {
	id := c.env.Recorder.Consumer()
	report := func(err error) {
		if errors.Is(err, client.ErrMalformed) {
			fail(fmt.Errorf("client %d: %w", c.id, err))
		}
	}
	consumer, err := c.conn.Consume(ctx, k.Queue, func(ctx context.Context, d *client.Delivery) error {
		key, err := history.ParseKey(d.Body)
		if err == nil && !bytes.Equal(d.Body, key.Body(len(d.Body))) {
			err = errWrong
		}
		if err != nil {
			err = fmt.Errorf("client %d, queue %s, message %s: %w", c.id, k.Queue, d.ID, err)
			fail(err)
			return client.Permanent(err)
		}
		handle(c.delivered(ctx, d, k, id, key))
		return nil
	}, k.options(report)...)
	return &Consumer{consumer, c, id}, err
}

// delivered writes down that a message arrived.
func (c *Client) delivered(ctx context.Context, d *client.Delivery, k consuming, consumer uint32, key history.Key) *Delivery {
	o := c.op(history.Deliver, k.Queue)
	o.Key, o.ID, o.Consumer, o.Token = key, witnessOf(d.ID), consumer, d.Token
	o.Attempt, o.Failures, o.Redelivered = d.Attempt, d.Failures, d.Redelivered
	if d.Death != nil {
		o.Dead = d.Death.Reason
	}
	o.Value = uint64(k.Lease.Milliseconds())
	c.env.Recorder.Event(o)
	return &Delivery{Key: key, Token: d.Token, c: c, d: d, base: o, ctx: ctx}
}
