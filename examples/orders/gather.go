package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/ferrymq/ferrymq/client"
)

// books are what the audit has to go by: what customers were confirmed, what the
// world did, and what is in the queues. The services are asked nothing; they do not
// run any more.
type books struct {
	placed  map[int]planned
	opening map[string]int
	ledger  []Entry // in the order of the log
	cards   map[string][]Card
	killed  map[string]int // processes, by service
	dead    []letter       // of the stages of an order
	lost    []letter       // of queues that must not have any
	world   effects
	faults  []string // what could not be read
}

// letter is a dead letter about an order.
type letter struct {
	order int
	client.Death
}

// gather reads the books. It takes nothing away.
func (s *show) gather(ctx context.Context) (*books, error) {
	b := &books{
		placed: s.customers.confirmed(), opening: s.customers.plan.opening,
		cards: map[string][]Card{}, killed: s.crew.killed(), world: s.world.effects(),
	}
	err := each(ctx, s.admin, ledger, func(m client.BrowsedMessage) {
		b.ledger = append(b.ledger, decoded[Entry](b, ledger, m))
	})
	if err != nil {
		return nil, err
	}
	for _, item := range items {
		err := each(ctx, s.admin, stockOf(item), func(m client.BrowsedMessage) {
			b.cards[item] = append(b.cards[item], decoded[Card](b, stockOf(item), m))
		})
		if err != nil {
			return nil, err
		}
	}
	if err := b.letters(ctx, s.admin, &b.dead, orderStages...); err != nil {
		return nil, err
	}
	return b, b.letters(ctx, s.admin, &b.lost, refunds, email, pushes, ledger)
}

// letters reads the dead-letter queues of queues.
func (b *books) letters(ctx context.Context, c *client.Conn, to *[]letter, queues ...string) error {
	for _, name := range queues {
		info, err := c.Queue(ctx, name)
		if err != nil {
			return err
		}
		err = each(ctx, c, info.DeadLetter, func(m client.BrowsedMessage) {
			if m.Message == nil || m.Death == nil {
				b.faults = append(b.faults, fmt.Sprintf("%s: message %s: %v", info.DeadLetter, m.ID, m.Err))
				return
			}
			order, err := strconv.Atoi(m.Message.CorrelationID)
			if err != nil {
				b.faults = append(b.faults, fmt.Sprintf("%s: message %s is about no order", info.DeadLetter, m.ID))
			}
			*to = append(*to, letter{order, *m.Death})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// each visits the messages of a queue, in order.
func each(ctx context.Context, c *client.Conn, queue string, visit func(client.BrowsedMessage)) error {
	for m, err := range c.BrowseMessages(ctx, queue, client.Filter{}) {
		if err != nil {
			return err
		}
		visit(m)
	}
	return nil
}

func decoded[T any](b *books, queue string, m client.BrowsedMessage) (v T) {
	err := m.Err
	if err == nil {
		v, err = read[T](*m.Message)
	}
	if err != nil {
		b.faults = append(b.faults, fmt.Sprintf("%s: message %s: %v", queue, m.ID, err))
	}
	return v
}
