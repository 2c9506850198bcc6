package client

import (
	"context"
	"errors"

	"github.com/ferrymq/ferrymq/transport"
)

// Responder answers a request. Its error is one of a Handler: the request is
// tried again, or with Permanent dead-lettered, which its requester is told.
type Responder func(ctx context.Context, d *Delivery) (Message, error)

// Respond consumes a queue and answers its requests with what f returns: by
// Reply, or for those with a ReplyTo by publishing the answer there and acking
// the request, in one Tx. A message that asks for no answer is acked, and its
// answer dropped. Answers have the CorrelationID of their requests unless they
// have their own. An answer that is too large dead-letters its request.
//
// The options are those of Consume. WithoutAcks is not possible.
func (c *Conn) Respond(ctx context.Context, queue string, f Responder, opts ...ConsumeOption) (*Consumer, error) {
	if f == nil {
		return nil, localError(transport.CodeInvalid, "respond", queue, "no responder", nil)
	}
	var o consumeOptions
	for _, opt := range opts {
		opt(&o)
	}
	if o.noAck {
		return nil, localError(transport.CodeInvalid, "respond", queue, "an answer is an ack", nil)
	}
	return c.Consume(ctx, queue, func(ctx context.Context, d *Delivery) error {
		m, err := f(ctx, d)
		if err != nil {
			return err
		}
		return tooLargeForGood(d.respond(ctx, m))
	}, opts...)
}

// respond gives the answer the way the request asks for. It waits for as long
// as the lease holds: nobody else would give it.
func (d *Delivery) respond(ctx context.Context, m Message) error {
	switch {
	case d.ReplyTo != "":
		if m.CorrelationID == "" {
			m.CorrelationID = d.CorrelationID
		}
		tx := d.k.c.NewTx()
		tx.Ack(d)
		tx.Publish(d.ReplyTo, m)
		_, err := tx.commit(ctx, true)
		return err
	case d.IsRequest:
		return d.reply(ctx, m, true)
	}
	return nil
}

// tooLargeForGood marks an answer that another attempt would not make smaller.
func tooLargeForGood(err error) error {
	if errors.Is(err, ErrTooLarge) {
		return Permanent(err)
	}
	return err
}
