package main

import (
	"bytes"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// honest books: two orders shipped, one out of stock, one with a stolen card, one
// that nobody understood.
func honest() *books {
	b := &books{
		placed: map[int]Order{}, opening: map[string]int{}, cards: map[string][]Card{},
		world: effects{
			charges: map[string]call{}, refunds: map[string]call{}, mails: map[string]call{}, pushes: map[string]call{},
			repeats: map[string]int{},
		},
	}
	for _, item := range items {
		b.opening[item] = 10
		b.cards[item] = []Card{{Item: item, Left: 10}}
	}
	b.cards["lamp"][0].Left = 7
	for i, one := range []struct {
		item     string
		quantity int
		card     string
		kinds    []string
		end      string
	}{
		{"lamp", 1, "card", lives[shipped], "order.shipped"},
		{"lamp", 2, "card", lives[shipped], "order.shipped"},
		{"rug", 11, "card", lives[inventory], inventory},
		{"rug", 1, stolen + "card", lives[payment], payment},
		{"rug", 0, "card", lives[checkout], checkout},
	} {
		o := Order{ID: i + 1, Customer: "customer-01", Item: one.item, Quantity: one.quantity, Card: one.card}
		b.placed[o.ID] = o
		b.live(o, one.kinds, one.end)
	}
	return b
}

// live writes down what an order came to.
func (b *books) live(o Order, kinds []string, end string) {
	key := func(what string) string { return what + o.Customer + string(rune('0'+o.ID)) }
	o.Cents = prices[o.Item] * int64(o.Quantity)
	for _, kind := range kinds {
		switch kind {
		case paid:
			o.Charge = key("charge-")
			b.world.charges[o.Charge] = call{Key: o.Charge, Order: o}
		case refunded:
			b.world.refunds[key("refund-")] = call{Order: o}
		}
		b.ledger = append(b.ledger, Entry{Kind: kind, Order: o})
	}
	subjects := []string{"order.created", "order.refused"}
	switch end {
	case "order.shipped":
		subjects[1] = end
	case checkout:
		subjects = nil
		fallthrough
	default:
		b.dead = append(b.dead, letter{order: o.ID, queue: end, reason: "rejected", text: "because: of that", attempts: 1})
	}
	for _, subject := range subjects {
		b.world.mails[key(subject)] = call{Subject: subject, Order: o}
		b.world.pushes[key(subject)] = call{Subject: subject, Order: o}
	}
}

func TestHonestBooksAddUp(t *testing.T) {
	v := honest().judge()
	require.Empty(t, v.faults)
	require.NoError(t, v.err())
	require.Equal(t, []int{5, 2, 3}, []int{v.placed, v.shipped, v.dead})
	require.Equal(t, v.sold, v.charged-v.refunded)
	require.Equal(t, 1, v.deaths["payment, rejected: because"])
	var out bytes.Buffer
	v.print(&out)
	require.Contains(t, out.String(), "\norders: placed=5 shipped=2 dead=3 conserved=yes ok\n")
}

func TestAuditFindsWhatDoesNotAddUp(t *testing.T) {
	without := func(b *books, id int, kind string) {
		b.ledger = slices.DeleteFunc(b.ledger, func(e Entry) bool { return e.ID == id && e.Kind == kind })
	}
	again := func(b *books, id int, kind string) {
		i := slices.IndexFunc(b.ledger, func(e Entry) bool { return e.ID == id && e.Kind == kind })
		b.ledger = append(b.ledger, b.ledger[i])
	}
	for _, c := range []struct {
		name, fault string
		spoil       func(*books)
	}{
		{"an order that is gone", "order 1 ended 0 times", func(b *books) { without(b, 1, shipped) }},
		{"an order shipped twice", "order 2 ended 2 times", func(b *books) { again(b, 2, shipped) }},
		{"an order shipped and dead", "order 1 ended 2 times", func(b *books) { b.dead = append(b.dead, letter{1, payment, "rejected", "x", 1}) }},
		{"an order nobody placed", "order 5 is dead in checkout, and nobody placed it", func(b *books) { delete(b.placed, 5) }},
		{"an entry nobody asked for", "order 2 is in the ledger, and nobody placed it", func(b *books) { delete(b.placed, 2) }},
		{"goods taken twice", "was [created paid reserved shipped reserved]", func(b *books) { again(b, 1, reserved) }},
		{"no refund", "was [created paid]", func(b *books) { without(b, 3, refunded) }},
		{"a refund beside the ledger", "order 1: +1 refunds", func(b *books) { b.world.refunds["x"] = call{Order: b.placed[1]} }},
		{"a second charge", "charge twice for order 1 is in the ledger 0 times", func(b *books) { b.world.charges["twice"] = call{Key: "twice", Order: b.placed[1]} }},
		{"a charge of another amount", "of which the provider knows", func(b *books) {
			for key, c := range b.world.charges {
				c.Order.Cents++
				b.world.charges[key] = c
			}
		}},
		{"a wrong price", "order 1 was created as", func(b *books) { b.ledger[0].Cents++ }},
		{"goods that vanish", "rug: there were 10, 9 are left, 0 were taken", func(b *books) { b.cards["rug"][0].Left-- }},
		{"a second stock card", "rug has 2 stock cards", func(b *books) { b.cards["rug"] = append(b.cards["rug"], b.cards["rug"][0]) }},
		{"no reason", "order 4 is dead in payment without a reason", func(b *books) { b.dead[1].text = "" }},
		{"a dead mail", "a message about order 1 is dead in email", func(b *books) { b.lost = []letter{{1, email, "failures", "down", 9}} }},
		{"no mail", "was mailed 0 times", func(b *books) { clear(b.world.mails) }},
		{"a mail twice", "order.shipped 1 was mailed 2 times", func(b *books) { b.world.mails["x"] = call{Subject: "order.shipped", Order: b.placed[1]} }},
		{"a beep twice", "order.shipped 1 was beeped 2 times", func(b *books) { b.world.pushes["x"] = call{Subject: "order.shipped", Order: b.placed[1]} }},
		{"a beep for nothing", "order.shipped 4 was told, and did not happen", func(b *books) { b.world.pushes["x"] = call{Subject: "order.shipped", Order: b.placed[4]} }},
		{"a key used for two things", "asked for charge x again", func(b *books) { b.world.changed = []string{"charge x"} }},
		{"parcels out of order", "order 1 of customer-01 was shipped after 2", func(b *books) {
			i := slices.IndexFunc(b.ledger, func(e Entry) bool { return e.Kind == shipped })
			b.ledger = append(slices.Delete(slices.Clone(b.ledger), i, i+1), b.ledger[i])
		}},
		{"what cannot be read", "ledger: message 0-1-0", func(b *books) { b.faults = []string{"ledger: message 0-1-0: torn"} }},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := honest()
			c.spoil(b)
			v := b.judge()
			require.Condition(t, func() bool {
				return slices.ContainsFunc(v.faults, func(f string) bool { return bytes.Contains([]byte(f), []byte(c.fault)) })
			}, "%q is not in %q", c.fault, v.faults)
			require.Error(t, v.err())
			require.Contains(t, v.line(), "conserved=no FAILED")
		})
	}
	t.Run("no beep is fine", func(t *testing.T) {
		b := honest()
		clear(b.world.pushes)
		require.Empty(t, b.judge().faults)
	})
}
