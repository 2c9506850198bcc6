package main

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/ferrymq/ferrymq/client"
)

// The inventory service sets goods aside. It keeps no state of its own: how many
// there are is a message, the item's stock card. Whoever holds the card may take
// from the stock; the next card, the order's next step and the ledger's entry are
// one commit. Any number of processes may do this at once, and any of them may be
// killed at any moment.

const inventoryHands = 8 // orders that a process works on at once

func (s *service) inventory() ([]*client.Consumer, error) {
	k, err := s.consume(inventory, s.reserve, client.WithConcurrency(inventoryHands), client.WithPrefetch(inventoryHands))
	return []*client.Consumer{k}, err
}

func (s *service) reserve(ctx context.Context, d *client.Delivery) error {
	o, err := read[Order](d.Message)
	if err != nil {
		return client.Permanent(err)
	}
	for card, err := range s.conn.Messages(ctx, stockOf(o.Item), client.WithPrefetch(1)) {
		if err != nil {
			return client.Downstream(err)
		}
		err = s.take(ctx, d, o, card)
		if err != nil {
			giveBack(card)
		}
		return err // leaving the loop leaves the stock queue
	}
	return nil // not reached: the loop ends with an error
}

// take takes an order's goods from the card, or refuses the order if they are
// not there. Then its payment is given back, in the same step.
func (s *service) take(ctx context.Context, d *client.Delivery, o Order, card *client.Delivery) error {
	stock, err := read[Card](card.Message)
	if err != nil {
		return err
	}
	tx := s.conn.NewTx()
	if stock.Left < o.Quantity {
		tx.Nack(card, client.WithReason(client.ReasonShutdown)) // back as it was
		tx.Publish(refunds, message(o, o))
		return s.refuse(ctx, tx, d, o, fmt.Sprintf("out of stock: %d left, not %d", stock.Left, o.Quantity))
	}
	stock.Left -= o.Quantity
	tx.Ack(card)
	tx.Publish(stockOf(o.Item), stock.message())
	tx.Ack(d)
	tx.Publish(shipping, message(o, o))
	tx.Publish(ledger, entry(reserved, o, d))
	return commit(ctx, tx)
}

// giveBack gives a card back that was not committed. When its lease is lost, or
// the commit was done after all, it is not ours to give.
func giveBack(card *client.Delivery) {
	ctx, cancel := context.WithTimeout(context.Background(), stopTime)
	defer cancel()
	err := card.Nack(ctx, client.WithReason(client.ReasonShutdown))
	if err != nil && !errors.Is(err, client.ErrLeaseLost) {
		log.Printf("%s: %v", card.Queue, err)
	}
}
