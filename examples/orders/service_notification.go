package main

import (
	"context"

	"github.com/ferrymq/ferrymq/client"
)

// The notification service makes phones beep. A beep is worth little, and one too
// many is worse than none: without acks a message is gone when it is handed out,
// whatever becomes of it.

func (s *service) notification() ([]*client.Consumer, error) {
	k, err := s.consume(pushes, s.push, client.WithConcurrency(4), client.WithoutAcks())
	return []*client.Consumer{k}, err
}

func (s *service) push(ctx context.Context, d *client.Delivery) error {
	o, err := read[Order](d.Message)
	if err != nil {
		return err
	}
	return s.outside.push(ctx, d.ID.String(), d.Subject, o)
}
