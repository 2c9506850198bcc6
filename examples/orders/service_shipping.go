package main

import (
	"context"
	"errors"

	"github.com/ferrymq/ferrymq/client"
)

// The shipping service hands parcels to the carrier. Express parcels go first;
// those of one customer leave in the order in which they were ordered, also when
// one of them has to be tried again.

const shippingHands = 8 // parcels that a process works on at once

func (s *service) shipping() ([]*client.Consumer, error) {
	k, err := s.consume(shipping, s.ship, client.WithConcurrency(shippingHands))
	return []*client.Consumer{k}, err
}

// errNoVan is what some parcels meet at first.
var errNoVan = errors.New("no van is free")

// lacksVan tells of every tenth.
func lacksVan(o Order) bool { return o.ID%10 == 0 }

func (s *service) ship(ctx context.Context, d *client.Delivery) error {
	o, err := read[Order](d.Message)
	if err != nil {
		return client.Permanent(err)
	}
	if lacksVan(o) && d.Failures == 0 {
		return errNoVan // tried again after the time that the queue's policy says
	}
	tx := s.conn.NewTx()
	tx.Ack(d)
	tx.Publish(ledger, entry(shipped, o, d))
	tx.Publish(orders, event("order.shipped", o))
	return commit(ctx, tx)
}
