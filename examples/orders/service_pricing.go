package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/ferrymq/ferrymq/client"
)

// The pricing service answers what an item costs.

func (s *service) pricing() ([]*client.Consumer, error) {
	k, err := s.conn.Respond(context.Background(), pricing, price, client.WithConcurrency(8))
	return []*client.Consumer{k}, err
}

func price(_ context.Context, d *client.Delivery) (client.Message, error) {
	cents, ok := prices[string(d.Body)]
	if !ok {
		// Who asked is told at once, and the question is kept as a dead letter.
		return client.Message{}, client.Permanent(fmt.Errorf("no such item: %q", d.Body))
	}
	return client.Message{Body: strconv.AppendInt(nil, cents, 10)}, nil
}
