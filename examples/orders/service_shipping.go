package main

import (
	"context"
	"errors"

	"github.com/ferrymq/ferrymq/client"
)

// The shipping service hands parcels to the carrier. Express parcels go first;
// those of one customer leave in the order in which they were ordered, also when
// one of them has to be tried again.

func (s *service) shipping() ([]*client.Consumer, error) {
	k, err := s.consume(shipping, s.ship, client.WithConcurrency(8))
	return []*client.Consumer{k}, err
}

// errNoVan is what every tenth parcel meets at first.
var errNoVan = errors.New("no van is free")

func (s *service) ship(ctx context.Context, d *client.Delivery) error {
	o, err := read[Order](d.Message)
	if err != nil {
		return client.Permanent(err)
	}
	if o.ID%10 == 0 && d.Failures == 0 {
		return errNoVan // tried again after the time that the queue's policy says
	}
	tx := s.conn.NewTx()
	tx.Ack(d)
	tx.Publish(ledger, entry(shipped, o))
	tx.Publish(orders, event("order.shipped", o))
	return commit(ctx, tx)
}
