package main

import (
	"context"
	"errors"

	"github.com/ferrymq/ferrymq/client"
)

// The payment service charges cards, and gives money back. The provider is not
// part of any transaction: between the charge and the commit the process may be
// killed, and the next attempt charges again. So each call has a key that is the
// same for each attempt, the message's id, and the provider does it once.

const (
	paymentHands = 8 // payments that a process works on at once
	refundHands  = 1
)

func (s *service) payment() ([]*client.Consumer, error) {
	charges, err := s.consume(payment, s.charge, client.WithConcurrency(paymentHands))
	if err != nil {
		return nil, err
	}
	refunds, err := s.consume(refunds, s.refund, client.WithConcurrency(refundHands))
	return []*client.Consumer{charges, refunds}, err
}

func (s *service) charge(ctx context.Context, d *client.Delivery) error {
	o, err := read[Order](d.Message)
	if err != nil {
		return client.Permanent(err)
	}
	err = s.outside.charge(ctx, d.ID.String(), o)
	switch {
	case errors.Is(err, errDeclined):
		return s.refuse(ctx, s.conn.NewTx(), d, o, err.Error())
	case err != nil:
		return client.Downstream(err)
	}
	o.Charge = d.ID.String()
	tx := s.conn.NewTx()
	tx.Ack(d)
	tx.Publish(inventory, message(o, o))
	tx.Publish(ledger, entry(paid, o, d))
	return commit(ctx, tx)
}

func (s *service) refund(ctx context.Context, d *client.Delivery) error {
	o, err := read[Order](d.Message)
	if err != nil {
		return client.Permanent(err)
	}
	if err := s.outside.refund(ctx, d.ID.String(), o); err != nil {
		return client.Downstream(err)
	}
	tx := s.conn.NewTx()
	tx.Ack(d)
	tx.Publish(ledger, entry(refunded, o, d))
	return commit(ctx, tx)
}
