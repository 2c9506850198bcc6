package client

import (
	"context"
	"errors"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/ferrymq/ferrymq/transport"
)

// Pauses before a message that a busy queue refused is published again.
const (
	busyInitial = 20 * time.Millisecond
	busyMax     = 2 * time.Second
)

// Publish publishes a message to a queue or topic and waits for its
// confirmation. While the queue
// is busy it tries again, as a new operation, until ctx ends; the error then
// Is ErrBusy. A ctx that ends after the message was sent gives an error that
// Is ErrUnknownOutcome and Is the context's.
func (c *Conn) Publish(ctx context.Context, queue string, m Message) (Receipt, error) {
	results := make([]PublishResult, 1)
	if err := c.publish(ctx, queue, []Message{m}, results); err != nil {
		return Receipt{}, err
	}
	return results[0].Receipt, results[0].Err
}

// PublishBatch publishes messages in their order and waits until all are
// answered. Each has its own result, in its place; an error says that none
// was tried. Busy queues are tried again as in Publish.
func (c *Conn) PublishBatch(ctx context.Context, queue string, ms []Message) ([]PublishResult, error) {
	results := make([]PublishResult, len(ms))
	if err := c.publish(ctx, queue, ms, results); err != nil {
		return nil, err
	}
	return results, nil
}

// PublishAsync publishes a message without waiting for its confirmation:
// done, which may be nil, is told. It blocks while the window is full, until
// ctx ends, which has no meaning afterwards: the request timeout bounds the
// wait for an answer. An error means that the message was not taken, and done
// is not called. What a busy queue refuses is not tried again: done gets an
// error that Is ErrBusy.
//
// The callbacks of a Conn run on one goroutine, in the order of the calls. A
// callback must not block; it may publish one message.
func (c *Conn) PublishAsync(ctx context.Context, queue string, m Message, done func(Receipt, error)) error {
	if err := checkQueue("publish", queue); err != nil {
		return err
	}
	r, err := recordOf(&m)
	if err != nil {
		return about(err, "publish", queue)
	}
	return c.out.whenRoom(ctx, queue, func() (bool, error) {
		return c.out.push(queue, &r, message{done: done})
	})
}

// publish tries until nothing is busy.
func (c *Conn) publish(ctx context.Context, queue string, ms []Message, results []PublishResult) error {
	if err := checkQueue("publish", queue); err != nil {
		return err
	}
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	open := make([]int, len(ms))
	for i := range open {
		open[i] = i
	}
	pause := busyPause()
	for {
		c.publishOnce(ctx, queue, ms, open, results)
		least, further := time.Duration(0), false
		busy := open[:0]
		for _, i := range open {
			var e *Error
			if errors.As(results[i].Err, &e) && e.Code == transport.CodeBusy {
				busy = append(busy, i)
				least, further = max(least, e.RetryAfter), further || e.Cause == transport.CauseRoom || e.Cause == transport.CauseEntry
			}
		}
		if open = busy; len(open) == 0 {
			return nil
		}
		if further {
			pause.Reset()
		}
		if !sleep(ctx, max(pause.NextBackOff(), least)) {
			for _, i := range open {
				var e *Error
				if errors.As(results[i].Err, &e) {
					e.wrapped = ctxError(ctx)
				}
			}
			return nil
		}
	}
}

// busyPause gives the pauses before what a busy queue refused is tried again. They
// begin anew for a queue that makes room, or an entry that had none: each try gets
// further.
func busyPause() *backoff.ExponentialBackOff {
	return &backoff.ExponentialBackOff{
		InitialInterval: busyInitial, Multiplier: 2, RandomizationFactor: 0.5, MaxInterval: busyMax,
	}
}

// publishOnce publishes the messages that are open and waits for their results.
func (c *Conn) publishOnce(ctx context.Context, queue string, ms []Message, open []int, results []PublishResult) {
	n := len(open)
	if n == 0 {
		return
	}
	pending := &call{results: make([]PublishResult, n), places: make([]place, n), left: n, over: make(chan struct{})}
	pushed := 0
	err := c.out.whenRoom(ctx, queue, func() (bool, error) {
		for {
			next := c.out.pushCall(queue, ms, open, pushed, pending)
			if next == n || next == pushed {
				return next == n, nil
			}
			pushed = next
		}
	})
	if err != nil {
		c.out.mu.Lock()
		for j := pushed; j < n; j++ {
			pending.tell(j, Receipt{}, err)
		}
		c.out.mu.Unlock()
	}
	select {
	case <-pending.over:
	case <-ctx.Done():
		c.out.abandon(pending, queue, ctxError(ctx))
	}
	for j, i := range open {
		results[i] = pending.results[j]
	}
}

// whenRoom calls push until it has pushed everything, and waits for room
// whenever it has not.
func (o *outbox) whenRoom(ctx context.Context, queue string, push func() (bool, error)) error {
	pushed, err := push()
	if pushed || err != nil {
		return err
	}
	o.block(1)
	defer o.block(-1)
	for {
		if pushed, err := push(); pushed || err != nil {
			return err
		}
		select {
		case <-o.room:
		case <-ctx.Done():
			o.mu.Lock()
			defer o.mu.Unlock()
			return o.notSent("publish", queue, ctxError(ctx))
		}
	}
}

// block counts the goroutines that wait for room. One that ends its wait
// wakes the next: there may be room for both.
func (o *outbox) block(n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.blocked += n
	if n < 0 && o.blocked > 0 && (o.err != nil || o.hasRoom(0)) {
		signal(o.room)
	}
}

func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
