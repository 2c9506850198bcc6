package client

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/ferrymq/ferrymq/transport"
)

// consumeRetry is the pause before a consumer is attached again in a new
// session after a refusal that may pass.
const consumeRetry = 200 * time.Millisecond

// Handler works on one delivery. ctx is the delivery's: it ends with the
// lease and with the consumer. nil acks; an error nacks with its text, as
// RetryAfter and Downstream say; Permanent rejects; a panic is recovered and
// nacks. A handler may settle the delivery itself, reply to it or commit it in
// a Tx, then what it returns does not matter; but where a reply or a Tx failed,
// it nacks, whatever it returns.
type Handler func(ctx context.Context, d *Delivery) error

// Consume runs h on the messages of a queue, on as many goroutines as
// WithConcurrency says, until ctx ends, Stop is called or the queue is
// deleted. Handlers start in the order of delivery. Messages are prefetched;
// those not started return to their queue when the consumer stops.
//
// It survives lost connections and leaders. A new session, after one expired,
// gets the consumer as well; what was held then is lost to others.
func (c *Conn) Consume(ctx context.Context, queue string, h Handler, opts ...ConsumeOption) (*Consumer, error) {
	if h == nil {
		return nil, localError(transport.CodeInvalid, "consume", queue, "no handler", nil)
	}
	return c.consume(ctx, queue, h, opts)
}

// Messages receives the messages of a queue in a loop. The error is terminal
// and comes last: ctx ended, the queue was deleted, the connection closed.
// Messages are to be settled in or after the loop; leaving it hands back what
// was prefetched and stops extending leases.
func (c *Conn) Messages(ctx context.Context, queue string, opts ...ConsumeOption) iter.Seq2[*Delivery, error] {
	return func(yield func(*Delivery, error) bool) {
		k, err := c.consume(ctx, queue, nil, opts)
		if err != nil {
			yield(nil, err)
			return
		}
		defer k.stop()
		for {
			d, err := k.pop(ctx)
			if !yield(d, err) || err != nil {
				return
			}
		}
	}
}

// consume attaches a consumer.
func (c *Conn) consume(ctx context.Context, queue string, h Handler, opts []ConsumeOption) (*Consumer, error) {
	var o consumeOptions
	for _, opt := range opts {
		opt(&o)
	}
	o.fillDefaults()
	if err := o.validate(); err != nil {
		return nil, localError(transport.CodeInvalid, "consume", queue, "", err)
	}
	if err := checkQueue("consume", queue); err != nil {
		return nil, err
	}
	k := newConsumer(ctx, c, queue, h, o)
	if h != nil {
		for range o.concurrency {
			k.workers.Go(k.work)
		}
	}
	started := make(chan *Error, 1)
	bound, cancel := c.bounded(ctx)
	defer cancel()
	if err := c.do(bound, func(m *manager) { m.addConsumer(k, started) }); err != nil {
		k.end(asError(about(err, "consume", queue)))
		return nil, about(err, "consume", queue)
	}
	var err error
	select {
	case refused := <-started:
		if refused == nil {
			k.watch(ctx)
			return k, nil
		}
		err = refused
	case <-bound.Done():
		err = localError(transport.CodeTimeout, "consume", queue, "", ctxError(bound))
	case <-c.m.done:
		err = closedError("consume", queue)
	}
	k.stop()
	k.giveUp()
	return nil, err
}

// addConsumer gives the consumer a number and attaches it.
func (m *manager) addConsumer(k *Consumer, started chan<- *Error) {
	k.started = started
	m.number(k)
	m.consume(k)
}

func (m *manager) number(k *Consumer) {
	m.nextConsumer++
	k.number = m.nextConsumer
	m.consumers[k.number] = k
}

// consume sends the consumer's operation. A session that expires takes it
// along: sessionExpired calls this again.
func (m *manager) consume(k *Consumer) {
	session, sends := m.session, 0
	k.incarnation, k.accepted = 0, false // of this session's consumer: not known yet
	k.tellAttached(false)
	ctl := &control{
		op: transport.OpConsume, name: "consume", resource: k.queue, renew: true,
		encode: func(dst []byte, h transport.OpHeader) []byte {
			sends++
			return transport.Consume{
				OpHeader: h, Consumer: k.number, Queue: k.queue,
				CreditMessages: uint32(k.opts.prefetch), CreditBytes: uint32(k.opts.prefetchBytes),
				Concurrency: uint32(k.opts.concurrency), NoAck: k.opts.noAck,
				LeaseMs: uint32(k.opts.lease.Milliseconds()),
			}.AppendTo(dst)
		},
	}
	ctl.done = func(r *transport.Result, err *Error) {
		if err == nil && r != nil {
			k.incarnation, k.accepted = r.Value, true
			k.tellAttached(m.phase == phaseLive)
			if sends > 1 {
				m.recheck() // the answer was kept: its queue may be gone since
			}
		}
		switch {
		case m.session != session && session != nil:
		case err != nil && err.Code == transport.CodeConflict && m.session.taken && k.number < maxStrays:
			// A former holder of the session has left a consumer under this number.
			delete(m.consumers, k.number)
			m.number(k)
			m.consume(k)
		default:
			k.answered(err)
		}
	}
	if err := m.out.pushControl(ctl); err != nil {
		k.answered(asError(err))
	}
}

// tellAttached tells its user when the consumer is attached, and when no more.
func (k *Consumer) tellAttached(now bool) {
	if k.attachedNow == now {
		return
	}
	k.attachedNow = now
	if f := k.opts.attachedFunc; f != nil {
		f(now)
	}
}

// answered takes the answer to the consumer's operation.
func (k *Consumer) answered(err *Error) {
	if k.started != nil {
		k.started <- err
		k.started = nil
		if err != nil {
			k.end(err)
		}
		return
	}
	switch {
	case err == nil:
	case err.Retryable:
		k.c.opts.logger.Warn("consumer not attached yet", "queue", k.queue, "error", err)
		time.AfterFunc(max(consumeRetry, err.RetryAfter), func() {
			// Closed: then the consumer has ended, or is about to.
			_ = k.c.do(k.c.ctx, func(m *manager) {
				if m.consumers[k.number] == k && k.wanted() {
					m.consume(k)
				}
			})
		})
	default:
		k.end(err)
	}
}

func (m *manager) deliver(in *transport.Delivery, now time.Time) {
	if m.session == nil || in.Handle != m.session.handle {
		return // of a session that expired
	}
	if k := m.consumers[in.Consumer]; k != nil {
		k.offer(in, now)
		return
	}
	m.stray(in.Consumer)
}

// maxStrays bounds the consumers that another process left in the session.
const maxStrays = 4096

// stray cancels a consumer that nobody here knows: a process that held this
// session before left it behind, and it would be handed messages for ever.
func (m *manager) stray(number uint32) {
	if !m.session.taken || m.strays[number] || len(m.strays) >= maxStrays {
		return
	}
	m.strays[number] = true
	err := m.out.pushControl(&control{
		op: transport.OpCancel, name: "cancel",
		encode: func(dst []byte, h transport.OpHeader) []byte {
			return transport.Cancel{OpHeader: h, Consumer: number, Return: true}.AppendTo(dst)
		},
		done: func(_ *transport.Result, err *Error) {
			if err != nil {
				m.opts.logger.Debug("stray consumer not cancelled", "consumer", number, "error", err)
			}
		},
	})
	if err != nil {
		m.opts.logger.Debug("stray consumer not cancelled", "consumer", number, "error", err)
	}
}

// closed takes the news that a consumer ended without being asked to.
func (m *manager) closed(in *transport.Closed, now time.Time) {
	if m.session == nil || in.Handle != m.session.handle {
		return
	}
	k := m.consumers[in.Consumer]
	switch {
	case k == nil:
	case in.Code == transport.CodeSessionExpired:
		m.sessionExpired(nil, now)
		m.bind(now)
	case in.Code == transport.CodeFenced:
		m.refused(localError(in.Code, "session", "", "", nil), now)
	default:
		k.end(localError(in.Code, "consume", k.queue, "", nil))
	}
}

// work is one of the goroutines that run the handler.
func (k *Consumer) work() {
	for {
		d, err := k.pop(context.Background()) // ends with the consumer's state, not with a context
		if err != nil {
			return
		}
		k.handle(d)
	}
}

// handle runs the handler and settles as it says.
func (k *Consumer) handle(d *Delivery) {
	ctx := d.Context()
	err := k.call(ctx, d)
	if k.opts.noAck {
		if err != nil {
			k.opts.errorFunc(fmt.Errorf("handler of %s: %w", d.ID, err))
		}
		k.mu.Lock()
		d.state = stateSettled
		d.endContext()
		k.mu.Unlock()
		return
	}
	k.mu.Lock()
	open := d.state == stateStarted
	d.left = true
	own := d.asked
	k.mu.Unlock()
	if !open {
		return // settled by the handler, or lost, which its user knows from ctx
	}
	report := func(err error) {
		if err != nil && !errors.Is(err, ErrClosed) {
			k.opts.errorFunc(err)
		}
	}
	// These wait as long as it takes: nobody else would settle the message.
	settle := func(op string, item transport.SettleItem) { d.settleAsync(op, item, time.Time{}, report) }
	if own != nil && own.failed != nil && err == nil {
		err = own.failed // acking would lose what was to be done together with it
	}
	switch {
	case own != nil && own.item.Action != 0:
		settle(own.op, own.item) // it failed, or nobody knows: what the handler returns does not matter
	case err == nil:
		settle("ack", transport.SettleItem{Action: transport.ActionAck})
	case k.isAborted() && cutShort(err):
		// The cancel hands it back, and tells the group that it was begun with:
		// a request without retry may not go to somebody else.
	case k.ctx.Err() != nil && cutShort(err):
		settle("nack", nackItem(ReasonShutdown, err.Error()))
	default:
		settle(settleFor(err))
	}
}

// cutShort tells that a handler ended because its context did.
func cutShort(err error) bool { return errors.Is(err, context.Canceled) && !isPermanent(err) }

// call runs the handler; a panic becomes an error.
func (k *Consumer) call(ctx context.Context, d *Delivery) (err error) {
	defer func() {
		if p := recover(); p != nil {
			k.c.opts.logger.Error("handler panicked", "queue", k.queue, "id", d.ID.String(), "panic", p)
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return k.handler(ctx, d)
}
