package main

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ferrymq/ferrymq/client"
)

func TestHonestBooksAddUp(t *testing.T) {
	v := honest().judge()
	require.Empty(t, v.faults)
	require.NoError(t, v.err())
	require.Equal(t, []int{7, 2, 5}, []int{v.placed, v.shipped, v.dead})
	require.Equal(t, v.sold, v.charged-v.refunded)
	require.Equal(t, 1, v.deaths["checkout, failures: not understood"])
	var out bytes.Buffer
	v.print(&out)
	require.Contains(t, out.String(), "7 placed = 2 shipped + 5 dead")
	require.Contains(t, out.String(), "lamp 10 = 7 + 3")
	require.Contains(t, out.String(), "3 charges, orders charged twice: 0;")
	require.Contains(t, out.String(), "8 beeps for 8 events, twice: 0\n")
	require.Contains(t, out.String(), "\norders: placed=7 shipped=2 dead=5 conserved=yes ok\n")
}

func TestAuditFindsWhatDoesNotAddUp(t *testing.T) {
	without := func(b *books, id int, kind string) {
		b.ledger = slices.DeleteFunc(b.ledger, func(e Entry) bool { return e.ID == id && e.Kind == kind })
	}
	again := func(b *books, id int, kind string) {
		i := slices.IndexFunc(b.ledger, func(e Entry) bool { return e.ID == id && e.Kind == kind })
		b.ledger = append(b.ledger, b.ledger[i])
	}
	change := func(calls map[string]call, id int, how func(*Order)) {
		for key, c := range calls {
			if c.Order.ID == id {
				how(&c.Order)
				calls[key] = c
			}
		}
	}
	for _, c := range []struct {
		name, fault string
		spoil       func(*books)
	}{
		{"an order that is gone", "order 1 ended 0 times", func(b *books) { without(b, 1, shipped) }},
		{"an order shipped twice", "order 2 ended 2 times", func(b *books) { again(b, 2, shipped) }},
		{"an order shipped and dead", "order 1 ended 2 times", func(b *books) { b.dead = append(b.dead, letter{1, reject(payment, "x")}) }},
		{"an order nobody placed", "order 5 is dead in checkout, and nobody placed it", func(b *books) { delete(b.placed, 5) }},
		{"an entry nobody asked for", "order 2 is in the ledger, and nobody placed it", func(b *books) { delete(b.placed, 2) }},
		{"goods taken twice", "was [created paid reserved shipped reserved]", func(b *books) { again(b, 1, reserved) }},
		{"no refund", "was [created paid]", func(b *books) { without(b, 3, refunded) }},
		{"a refund beside the ledger", "order 1: +1 refunds", func(b *books) { b.world.refunds["x"] = call{Order: b.ledger[0].Order} }},
		{"a refund of another charge", "order 3: +1 refunds", func(b *books) { change(b.world.refunds, 3, func(o *Order) { o.Charge = "charge-1" }) }},
		{"a refund to another customer", "order 3: +1 refunds", func(b *books) { change(b.world.refunds, 3, func(o *Order) { o.Customer = "customer-02" }) }},
		{"a refund of another amount", "order 3: +1 refunds", func(b *books) { change(b.world.refunds, 3, func(o *Order) { o.Cents-- }) }},
		{"a refund that the ledger has otherwise", "order 3: -1 refunds", func(b *books) { change(b.world.refunds, 3, func(o *Order) { o.Item = "lamp" }) }},
		{"a charge of another customer", "of which the provider knows", func(b *books) { change(b.world.charges, 1, func(o *Order) { o.Customer = "customer-02" }) }},
		{"a charge of another card", "of which the provider knows", func(b *books) { change(b.world.charges, 1, func(o *Order) { o.Card = "another" }) }},
		{"a second charge", "charge twice for order 1 is in the ledger 0 times", func(b *books) { b.world.charges["twice"] = call{Key: "twice", Order: b.ledger[0].Order} }},
		{"a charge of another amount", "of which the provider knows", func(b *books) { change(b.world.charges, 1, func(o *Order) { o.Cents++ }) }},
		{"a wrong price", "order 1 was created as", func(b *books) { b.ledger[0].Cents++ }},
		{"a failure that nobody had", "order 2, paid: 1 failures, of which 0 are its own, and 0 processes of payment were killed", func(b *books) { b.ledger[5].Failures = 1 }},
		{"more failures than kills", "order 1, reserved: 2 failures", func(b *books) { b.killed["inventory"], b.ledger[2].Failures = 1, 2 }},
		{"more orders than a killed process held", "9 orders failed for kills of inventory, which held 8 at most", func(b *books) {
			b.killed["inventory"] = 1
			for id := 21; id < 30; id++ {
				b.placed[id] = planned{order: Order{ID: id, Item: "chair", Quantity: 1}, body: []byte("{}")}
				b.opening["chair"], b.cards["chair"][0].Left = b.opening["chair"]+1, b.cards["chair"][0].Left+1
				b.live(id, client.Death{Queue: shipped})
				b.ledger[len(b.ledger)-2].Failures = 1
			}
		}},
		{"a van too soon", "order 10, shipped: 0 failures, of which 1 are its own", func(b *books) {
			b.placed[10] = planned{order: Order{ID: 10, Item: "chair", Quantity: 1}, body: []byte("{}")}
			b.live(10, client.Death{Queue: shipped})
			b.ledger[len(b.ledger)-1].Failures = 0
		}},
		{"goods that vanish", "rug: there were 10, 9 are left, 0 were taken", func(b *books) { b.cards["rug"][0].Left-- }},
		{"a second stock card", "rug has 2 stock cards", func(b *books) { b.cards["rug"] = append(b.cards["rug"], b.cards["rug"][0]) }},
		{"no reason", "order 4 had to be dead in payment, rejected: card declined, and is dead in payment, : ", func(b *books) { b.dead[1].Death = client.Death{Queue: payment} }},
		{"a dead mail", "a message about order 1 is dead in email", func(b *books) { b.lost = []letter{{1, client.Death{Queue: email, Reason: failures, Error: "down"}}} }},
		{"no mail", "was mailed 0 times", func(b *books) { clear(b.world.mails) }},
		{"a mail to another customer", "order.created 1 was told, and did not happen", func(b *books) { change(b.world.mails, 1, func(o *Order) { o.Customer = "customer-02" }) }},
		{"a mail of another amount", "order.shipped 2 was told, and did not happen", func(b *books) { change(b.world.mails, 2, func(o *Order) { o.Cents = 1 }) }},
		{"a mail of another charge", "order.refused 3 was mailed 0 times", func(b *books) { change(b.world.mails, 3, func(o *Order) { o.Charge = "charge-1" }) }},
		{"a beep to another customer", "order.created 1 was told, and did not happen", func(b *books) { change(b.world.pushes, 1, func(o *Order) { o.Customer = "customer-02" }) }},
		{"a mail twice", "order.shipped 1 was mailed 2 times", func(b *books) { b.world.mails["x"] = b.world.mails["order.shipped-1"] }},
		{"a beep twice", "order.shipped 1 was beeped 2 times", func(b *books) { b.world.pushes["x"] = b.world.pushes["order.shipped-1"] }},
		{"a beep for nothing", "order.shipped 4 was told, and did not happen", func(b *books) { b.world.pushes["x"] = call{Subject: "order.shipped", Order: b.placed[4].order} }},
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
				return slices.ContainsFunc(v.faults, func(f string) bool { return strings.Contains(f, c.fault) })
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
