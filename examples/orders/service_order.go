package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ferrymq/ferrymq/client"
)

// The order service takes what customers send, asks what it costs, and announces
// the order to everybody who wants to know.

const (
	orderHands  = 16 // orders that a process works on at once
	quantityMax = 100
	// priceTime is how long it waits for a price.
	priceTime = 2 * time.Second
	// priceAgain is when it asks again where nobody answered.
	priceAgain = 200 * time.Millisecond
)

func (s *service) order() ([]*client.Consumer, error) {
	k, err := s.consume(checkout, s.accept, client.WithConcurrency(orderHands))
	return []*client.Consumer{k}, err
}

func (s *service) accept(ctx context.Context, d *client.Delivery) error {
	o, err := read[Order](d.Message)
	if err != nil {
		return err // poison: each attempt fails, and after the last it is a dead letter
	}
	if o.Quantity < 1 || o.Quantity > quantityMax {
		// No attempt would mend that: a dead letter at once.
		return client.Permanent(fmt.Errorf("quantity %d is not 1 to %d", o.Quantity, quantityMax))
	}
	price, err := s.priceOf(ctx, o.Item)
	if err != nil {
		return err
	}
	o.Cents = price * int64(o.Quantity)
	tx := s.conn.NewTx()
	tx.Ack(d)
	tx.Publish(orders, event("order.created", o))
	tx.Publish(ledger, entry(created, o, d))
	return commit(ctx, tx)
}

// priceOf asks the pricing service. A question changes nothing, so it is simply
// asked again when its answer is lost.
func (s *service) priceOf(ctx context.Context, item string) (int64, error) {
	answer, err := s.conn.Request(ctx, pricing, client.Message{Body: []byte(item)}, client.WithRequestDeadline(priceTime))
	switch {
	case errors.Is(err, client.ErrDeadLettered):
		return 0, client.Permanent(fmt.Errorf("nobody knows what a %s costs", item))
	case err != nil: // nobody answers now: not the order's fault
		return 0, client.Downstream(client.RetryAfter(priceAgain, err))
	}
	return read[int64](answer.Message)
}
