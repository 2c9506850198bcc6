package workload

import (
	"context"
	"errors"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/jepsen/check"
	"github.com/ferrymq/ferrymq/jepsen/history"
)

// Pass acks the message and publishes its result, which has its key, in one
// step, and waits for the answer. It is written down as the ack.
func (d *Delivery) Pass(ctx context.Context, queue string, size int) error {
	place, key := d.invoke(history.Ack)
	tx := d.c.conn.NewTx()
	tx.Ack(d.d)
	tx.Publish(queue, client.Message{Body: d.Key.Body(size)})
	_, err := tx.Commit(ctx)
	d.settled(place, key, err)
	return d.orElse(ctx, err)
}

// Reply answers a request and settles it, in one step, and waits for that.
func (d *Delivery) Reply(ctx context.Context, body []byte) error {
	place, key := d.invoke(check.Reply)
	err := d.d.Reply(ctx, client.Message{Body: body})
	d.settled(place, key, err)
	return d.orElse(ctx, err)
}

// orElse hands back what could not be settled, as the library would when the
// handler returns, but so that it is written down.
func (d *Delivery) orElse(ctx context.Context, err error) error {
	if err == nil || OutcomeOf(err) != history.Fail || errors.Is(err, client.ErrLeaseLost) {
		return err
	}
	return errors.Join(err, d.Nack(ctx, client.ReasonMessage))
}

// noteDeath writes down what a dead letter tells of its life.
func (d *Delivery) noteDeath() {
	death := d.d.Death
	if death == nil {
		return
	}
	o := d.base
	o.Kind, o.Attempt, o.Failures, o.Value = check.Died, death.Attempts, death.Failures, uint64(death.Forgotten)
	d.c.env.Recorder.Event(o)
	for _, a := range death.History {
		o := d.base
		o.Kind, o.Token, o.Error = check.Attempted, a.Token, a.Error
		d.c.env.Recorder.Event(o)
	}
}
