package main

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ferrymq/ferrymq/client"
)

// Books of which each agrees with the others, and an order that came to what it
// must not come to.
func TestAuditKnowsWhatHasToBe(t *testing.T) {
	torn := "not understood: torn"
	ship := client.Death{Queue: shipped}
	again := func(d client.Death, failures int) client.Death {
		d.Attempts, d.Failures = d.Attempts+failures, failures
		return d
	}
	for _, c := range []struct {
		name  string
		order int
		end   client.Death
		fault string
	}{
		{"a good order that nobody saw", 1, client.Death{Queue: checkout, Reason: failures, Error: "lease expired"}, "order 1 had to be shipped, and is dead in checkout, failures: lease expired"},
		{"a good order that nobody understood", 1, fail(torn, torn, torn), "order 1 had to be shipped, and is dead in checkout"},
		{"a good order that expired", 2, client.Death{Queue: payment, Reason: "expired"}, "order 2 had to be shipped, and is dead in payment, expired"},
		{"a good order without a reason", 1, client.Death{Queue: checkout}, "order 1 had to be shipped, and is dead in checkout, : "},
		{"a good order that was not worth a van", 1, reject(shipping, "no van is free"), "order 1 had to be shipped, and is dead in shipping, rejected: no van is free"},
		{"refused, and enough is left", 1, reject(inventory, "out of stock: 10 left, not 1"), "order 1 had to be shipped, and is dead in inventory"},
		{"refused for a shelf that was never empty", 1, reject(inventory, "out of stock: 0 left, not 1"), "order 1 had to be shipped, and is dead in inventory"},
		{"refused for another number", 3, reject(inventory, "out of stock: 9 left, not 11"), "order 3 had to be shipped, and is dead in inventory"},
		{"refused without a word", 3, reject(inventory, ""), "order 3 had to be shipped, and is dead in inventory"},
		{"a good card that is declined", 2, reject(payment, "card declined"), "order 2 had to be shipped, and is dead in payment"},
		{"a stolen card that is charged", 4, ship, "order 4 had to be dead in payment, rejected: card declined, and is shipped"},
		{"a stolen card that died of something else", 4, reject(payment, "no"), "order 4 had to be dead in payment, rejected: card declined, and is dead in payment, rejected: no"},
		{"a stolen card before it was looked at", 4, reject(checkout, "card declined"), "order 4 had to be dead in payment"},
		{"nothing, shipped", 5, ship, "order 5 had to be dead in checkout, rejected: quantity 0 is not 1 to 100, and is shipped"},
		{"a unicorn, shipped", 6, ship, "order 6 had to be dead in checkout, rejected: nobody knows what a unicorn costs, and is shipped"},
		{"a unicorn that is out of stock", 6, reject(inventory, "out of stock: 0 left, not 1"), "order 6 had to be dead in checkout"},
		{"what nobody understands, shipped", 7, ship, "order 7 had to be dead in checkout, failures: not understood, and is shipped"},
		{"what nobody understands, rejected", 7, reject(checkout, torn), "order 7 had to be dead in checkout, failures"},
		{"dead at the first failure", 7, fail(torn), "order 7 is dead in checkout, failures: not understood, after 1 failures, not 3"},
		{"dead at one failure too many", 7, fail(torn, torn, torn, torn), "after 4 failures, not 3"},
		{"dead for a failure that nobody reported", 7, fail("lease expired", torn, torn), "order 7, checkout: 3 failures, of which 2 are its own, and 0 processes of order were killed"},
		{"rejected after a failure", 5, again(reject(checkout, "quantity 0 is not 1 to 100"), 1), "order 5, checkout: 1 failures, of which 0 are its own"},
		{"rejected by nobody", 4, client.Death{Queue: payment, Reason: rejected, Error: "card declined"}, "which its service said 0 times"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := honest()
			b.instead(c.order, c.end)
			v := b.judge()
			require.NotEmpty(t, v.faults)
			require.Contains(t, v.faults[0], c.fault)
			require.Contains(t, v.line(), "conserved=no FAILED")
		})
	}
}

// Whoever had begun with an order and was killed has it fail once more, and that
// is all that may.
func TestAuditAllowsForKills(t *testing.T) {
	lost := client.Attempt{Error: "session lost"}
	declined, torn := reject(payment, "card declined"), fail("session lost", "not understood: torn", "not understood: torn")
	declined.Failures, declined.History = 1, append([]client.Attempt{lost}, declined.History...)
	b := honest()
	b.instead(4, declined)
	b.instead(7, torn)
	require.Len(t, b.judge().faults, 2)
	b.killed["payment"], b.killed["order"] = 1, 1
	require.Empty(t, b.judge().faults)
	b.killed["payment"], b.killed["order"], b.killed["inventory"] = 0, 0, 9
	require.Len(t, b.judge().faults, 2)
	b.killed["payment"], b.killed["order"] = 1, 1
	b.ledger[1].Failures = 1 // the payment of order 1
	require.Empty(t, b.judge().faults)
	declined.Failures = 2
	b.instead(4, declined)
	require.Len(t, b.judge().faults, 1)
}

// An order is refused for the shelf as it is then, not as it was or will be: of
// ten lamps the entries 2 and 6 take one and two.
func TestAuditLooksAtTheShelfOfThatTime(t *testing.T) {
	for _, c := range []struct {
		name           string
		paid, refunded int // before these entries
		left           int
		ok             bool
	}{
		{"not yet empty", 0, 2, 9, false},
		{"enough", 0, 2, 10, false},
		{"empty before", 3, 6, 9, true},
		{"emptied meanwhile", 0, 12, 9, true},
		{"emptied further meanwhile", 0, 12, 7, true},
		{"enough at first", 0, 12, 10, false},
		{"fewer than there ever were", 0, 12, 8, false},
		{"emptied further later", 3, 6, 7, false},
		{"fewer by now", 7, 12, 9, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := honest()
			o := Order{ID: 8, Customer: "customer-02", Item: "lamp", Quantity: 10, Card: "card"}
			b.placed[o.ID] = planned{order: o, body: encode(o)}
			b.live(o.ID, reject(inventory, fmt.Sprintf("out of stock: %d left, not 10", c.left)))
			others, own := b.ledger[:len(b.ledger)-3], slices.Clone(b.ledger[len(b.ledger)-3:])
			b.ledger = slices.Insert(slices.Clone(others), c.refunded, own[2])
			b.ledger = slices.Insert(b.ledger, c.paid, own[:2]...)
			v := b.judge()
			if c.ok {
				require.Empty(t, v.faults)
				return
			}
			require.Len(t, v.faults, 1)
			require.Contains(t, v.faults[0], "order 8 had to be shipped, and is dead in inventory")
		})
	}
}
