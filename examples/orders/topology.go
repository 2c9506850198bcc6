package main

import (
	"context"
	"fmt"
	"time"

	"github.com/ferrymq/ferrymq/client"
)

// Queues and topics of the shop. An order goes
//
//	checkout → (topic orders) → payment → inventory → shipping
//	                          ↘ email, notification
//
// and every service but pricing writes the ledger as it goes.
const (
	checkout  = "checkout"  // what customers send
	pricing   = "prices"    // requests
	orders    = "orders"    // the topic: order.created, order.shipped, order.refused
	payment   = "payment"   // subscription to order.created
	email     = "email"     // subscription to everything about orders
	pushes    = "pushes"    // the same, for phones
	inventory = "inventory" // paid orders
	shipping  = "shipping"  // paid orders with their goods set aside
	refunds   = "refunds"   // payments to give back
	ledger    = "ledger"    // what was done, in order; nobody consumes it
)

// stockOf is the queue of an item's stock card.
func stockOf(item string) string { return "stock-" + item }

// orderStages are where an order is, one after the other: it ends shipped by the
// last, or as a dead letter of one.
var orderStages = []string{checkout, payment, inventory, shipping}

// stages are the queues that must be empty in the end.
var stages = []string{checkout, payment, inventory, shipping, refunds, email, pushes}

// Limits of the shop.
const (
	checkoutFailures = 3
	shippingFailures = 8
	// orderWindow is how long a customer's order is recognized if it is sent
	// twice.
	orderWindow = 10 * time.Minute
	orderIDsMax = 100_000
)

// quickly is for what may be tried again soon.
var quickly = client.RetryPolicy{Kind: client.RetryExponential, Base: 200 * time.Millisecond, Max: 2 * time.Second}

// declare makes what is not there yet. It may run any number of times, by any
// number of services: what exists with the same settings is fine.
func declare(ctx context.Context, c *client.Conn, paymentRate int) error {
	queues := []struct {
		name     string
		settings client.QueueSettings
	}{
		// A customer whose answer got lost sends the order again, and it is taken once.
		{checkout, client.QueueSettings{
			FailureLimit: checkoutFailures, Retry: quickly, Dedup: orderWindow, DedupCapacity: orderIDsMax,
		}},
		{pricing, client.QueueSettings{}},
		{inventory, client.QueueSettings{Retry: quickly}},
		{shipping, client.QueueSettings{FailureLimit: shippingFailures, Retry: quickly}},
		{refunds, client.QueueSettings{FailureLimit: client.FailureLimitUnlimited, Retry: quickly}},
		{ledger, client.QueueSettings{}},
	}
	for _, item := range items {
		queues = append(queues, struct {
			name     string
			settings client.QueueSettings
		}{stockOf(item), client.QueueSettings{FailureLimit: client.FailureLimitUnlimited, Lease: 10 * time.Second}})
	}
	for _, q := range queues {
		if err := c.CreateQueue(ctx, q.name, q.settings); err != nil {
			return err
		}
	}
	if err := c.CreateTopic(ctx, orders, client.TopicSettings{}); err != nil {
		return err
	}
	subscriptions := []client.Subscription{
		// The payment provider takes so many calls a second. A spike waits in the
		// queue, and whoever orders does not notice. Required: no order is
		// announced that payment misses.
		{Queue: payment, Filter: "order.created", Required: true, Settings: client.QueueSettings{
			Retry: quickly, DispatchRate: paymentRate,
		}},
		// E-mail fails as a whole now and then: the breaker stops trying. Customers
		// want every mail, in any order.
		{Queue: email, Filter: "order.*", Required: true, Settings: client.QueueSettings{
			Breaker: true, FailureLimit: client.FailureLimitUnlimited, Retry: quickly, GroupFailure: client.GroupSkip,
		}},
		// Old notifications are worth nothing: the subscription may lose some.
		{Queue: pushes, Filter: "order.*", Settings: client.QueueSettings{MaxMessages: 10_000}},
	}
	for _, s := range subscriptions {
		s.Topic = orders
		if err := c.Subscribe(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// stock puts a card into each item's queue, once.
func stock(ctx context.Context, c *client.Conn, opening map[string]int) error {
	for _, item := range items {
		card := Card{Item: item, Left: opening[item]}
		if _, err := c.Publish(ctx, stockOf(item), card.message()); err != nil {
			return fmt.Errorf("stock of %s: %w", item, err)
		}
	}
	return nil
}
