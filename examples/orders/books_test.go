package main

import (
	"fmt"
	"maps"
	"slices"

	"github.com/ferrymq/ferrymq/client"
)

// honest books: two orders shipped, one out of stock, one with a stolen card, and
// of what the order service does not take one of each kind.
func honest() *books {
	b := &books{
		placed: map[int]planned{}, opening: map[string]int{}, cards: map[string][]Card{}, killed: map[string]int{},
		world: effects{
			charges: map[string]call{}, refunds: map[string]call{}, mails: map[string]call{}, pushes: map[string]call{},
			repeats: map[string]int{},
		},
	}
	for _, item := range items {
		b.opening[item] = 10
		b.cards[item] = []Card{{Item: item, Left: 10}}
	}
	for i, one := range []struct {
		item     string
		quantity int
		card     string
		end      client.Death
	}{
		{"lamp", 1, "card", client.Death{Queue: shipped}},
		{"lamp", 2, "card", client.Death{Queue: shipped}},
		{"rug", 11, "card", reject(inventory, "out of stock: 10 left, not 11")},
		{"rug", 1, stolen + "card", reject(payment, "card declined")},
		{"rug", 0, "card", reject(checkout, "quantity 0 is not 1 to 100")},
		{"unicorn", 1, "card", reject(checkout, "nobody knows what a unicorn costs")},
		{"rug", 1, "card", fail("not understood: torn", "not understood: torn", "not understood: torn")},
	} {
		o := Order{ID: i + 1, Customer: "customer-01", Item: one.item, Quantity: one.quantity, Card: one.card}
		sent := planned{order: o, body: encode(o)}
		if one.end.Reason == failures {
			sent.body = sent.body[:len(sent.body)/2]
		}
		b.placed[o.ID] = sent
		b.live(o.ID, one.end)
	}
	return b
}

// reject is the death of an order that a service rejects at the first attempt.
func reject(queue, why string) client.Death {
	return client.Death{Queue: queue, Reason: rejected, Error: why, Attempts: 1, History: []client.Attempt{{Error: why}}}
}

// fail is the death in checkout of an order that fails with these errors.
func fail(errs ...string) client.Death {
	d := client.Death{Queue: checkout, Reason: failures, Attempts: len(errs), Failures: len(errs), Error: errs[len(errs)-1]}
	for _, err := range errs {
		d.History = append(d.History, client.Attempt{Error: err})
	}
	return d
}

// live writes down everywhere what an order comes to: it is shipped, or dies.
func (b *books) live(id int, end client.Death) {
	o := b.placed[id].order
	key := func(what string) string { return fmt.Sprint(what, "-", o.ID) }
	o.Cents = prices[o.Item] * int64(o.Quantity)
	tell := func(subject string) {
		b.world.mails[key(subject)] = call{Key: key(subject), Subject: subject, Order: o}
		b.world.pushes[key(subject)] = call{Key: key(subject), Subject: subject, Order: o}
	}
	for _, kind := range lives[end.Queue] {
		switch kind {
		case created:
			tell("order.created")
		case paid:
			b.world.charges[key("charge")] = call{Key: key("charge"), Order: o}
			o.Charge = key("charge")
		case reserved:
			for _, card := range b.cards[o.Item] {
				b.cards[o.Item] = []Card{{Item: o.Item, Left: card.Left - o.Quantity}}
			}
		case refunded:
			b.world.refunds[key("refund")] = call{Key: key("refund"), Order: o}
		case shipped:
			tell("order.shipped")
		}
		e := Entry{Kind: kind, Order: o}
		if kind == shipped && lacksVan(o) {
			e.Failures = 1
		}
		b.ledger = append(b.ledger, e)
	}
	if end.Queue == payment || end.Queue == inventory {
		tell("order.refused")
	}
	if end.Queue != shipped {
		b.dead = append(b.dead, letter{id, end})
	}
}

// instead has an order come to something else: the books agree with each other as
// before, and not with what had to be.
func (b *books) instead(id int, end client.Death) {
	for _, e := range b.ledger {
		if e.ID == id && e.Kind == reserved {
			b.cards[e.Item][0].Left += e.Quantity
		}
	}
	b.ledger = slices.DeleteFunc(b.ledger, func(e Entry) bool { return e.ID == id })
	b.dead = slices.DeleteFunc(b.dead, func(l letter) bool { return l.order == id })
	e := b.world
	for _, calls := range []map[string]call{e.charges, e.refunds, e.mails, e.pushes} {
		maps.DeleteFunc(calls, func(_ string, c call) bool { return c.Order.ID == id })
	}
	b.live(id, end)
}
