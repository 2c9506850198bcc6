package workload

import (
	"context"
	"errors"
	"time"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/jepsen/history"
)

// Delivery is one message that a consumer was handed, and writes down what is
// done with it. It is for one goroutine, until Ack.
type Delivery struct {
	Key   history.Key
	Token uint64

	c    *Client
	d    *client.Delivery
	base history.Op // what its settles have in common with it
	ctx  context.Context
	lost bool

	wait time.Duration // that a nack asks for; 0: what the queue's policy says
}

// Hold keeps the message for a while, or until its lease is lost, which it tells.
func (d *Delivery) Hold(while time.Duration) bool {
	sleep(d.ctx, while)
	return d.noteLost()
}

// Oversleep keeps the message for all of the time, whatever becomes of its lease.
func (d *Delivery) Oversleep(ctx context.Context, while time.Duration) {
	sleep(ctx, while)
	d.noteLost()
}

// noteLost writes down once that the library says that the lease is over.
func (d *Delivery) noteLost() bool {
	if cause := context.Cause(d.ctx); !d.lost && errors.Is(cause, client.ErrLeaseLost) {
		d.lost = true
		o := d.base
		o.Kind, o.Error = history.Lost, cause.Error()
		d.c.env.Recorder.Event(o)
	}
	return d.lost
}

// Ack settles the message without waiting for the answer.
func (d *Delivery) Ack() { d.AckThen(nil) }

// AckThen is Ack that tells done, which must not block.
func (d *Delivery) AckThen(done func(error)) {
	place, key := d.invoke(history.Ack)
	d.c.open.add()
	d.d.AckAsync(func(err error) {
		defer d.c.open.done()
		d.settled(place, key, err)
		if done != nil {
			done(err)
		}
	})
}

// Nack gives the message back and waits for the answer.
func (d *Delivery) Nack(ctx context.Context, reason client.Reason) error {
	opts := []client.NackOption{client.WithReason(reason)}
	if d.wait > 0 {
		opts = append(opts, client.WithDelay(d.wait))
	}
	return d.settle(history.Nack, func() error { return d.d.Nack(ctx, opts...) })
}

// NackFor is Nack for the message's sake, with a delay of its own.
func (d *Delivery) NackFor(ctx context.Context, wait time.Duration) error {
	d.wait = wait
	return d.Nack(ctx, client.ReasonMessage)
}

// Reject has the message dead-lettered and waits for the answer.
func (d *Delivery) Reject(ctx context.Context) error {
	return d.settle(history.Reject, func() error { return d.d.Reject(ctx, "rejected on purpose") })
}

// settle asks again, as another operation, while nothing was done in time and
// the message is still held. When it is given up, the library goes on asking
// when the handler returns: an operation of whose end nobody is told.
func (d *Delivery) settle(kind history.Kind, ask func() error) error {
	for {
		place, key := d.invoke(kind)
		err := ask()
		d.settled(place, key, err)
		switch {
		case !errors.Is(err, client.ErrTimeout):
			return err
		case d.ctx.Err() != nil:
			place, key = d.invoke(kind)
			d.c.answers.forget(key)
			d.c.env.Recorder.Complete(place, history.Unknown, nil)
			return err
		}
	}
}

// Extend has the lease start anew and waits for the answer. Its consumer must
// not extend by itself: the two could not be told apart.
func (d *Delivery) Extend(ctx context.Context) error {
	place, key := d.invoke(history.Extend)
	err := d.d.Extend(ctx)
	d.settled(place, key, err)
	return err
}

func (d *Delivery) invoke(kind history.Kind) (place int, key settling) {
	o := d.base
	o.Kind = kind
	switch kind {
	case history.Extend:
	case history.Nack:
		o.Value = uint64(d.wait.Milliseconds())
	default:
		o.Value = 0
	}
	key = settling{d.Token, kind == history.Extend}
	d.c.answers.expect(key)
	return d.c.env.Recorder.Invoke(o), key
}

func (d *Delivery) settled(place int, key settling, err error) {
	told := d.c.answers.forget(key)
	d.c.env.Recorder.Complete(place, OutcomeOf(err), func(o *history.Op) {
		refused(o, err)
		if o.Number, o.Sends = told.number, told.sends; err == nil || answered(err) {
			o.At = told.at
		}
	})
}
