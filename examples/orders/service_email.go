package main

import (
	"context"

	"github.com/ferrymq/ferrymq/client"
)

// The e-mail service writes to customers. Its provider fails as a whole now and
// then, which is no message's fault: Downstream says so. After five such failures
// in a row the queue's breaker opens, and nothing is sent into the outage; later
// it lets one mail through, then two, then four, and closes.

func (s *service) email() ([]*client.Consumer, error) {
	k, err := s.consume(email, s.mail, client.WithConcurrency(4), client.WithPrefetch(8))
	return []*client.Consumer{k}, err
}

func (s *service) mail(ctx context.Context, d *client.Delivery) error {
	o, err := read[Order](d.Message)
	if err != nil {
		return client.Permanent(err)
	}
	// The key keeps customers from getting a mail twice, as with payments.
	return client.Downstream(s.outside.mail(ctx, d.ID.String(), d.Subject, o))
}
