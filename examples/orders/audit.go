package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// lives are the entries that an order must have, in this order: when it was
// shipped, or by the queue in which it died.
var lives = map[string][]string{
	shipped:   {created, paid, reserved, shipped},
	checkout:  nil,
	payment:   {created},
	inventory: {created, paid, refunded},
	shipping:  {created, paid, reserved},
}

// audit judges books. It finds everything that does not add up.
type audit struct {
	*books
	entries map[int][]Entry // by order
	ends    map[int][]string
	faults  []string
}

func (b *books) judge() verdict {
	a := &audit{books: b, entries: map[int][]Entry{}, ends: map[int][]string{}, faults: slices.Clone(b.faults)}
	for _, e := range b.ledger {
		a.entries[e.ID] = append(a.entries[e.ID], e)
		if e.Kind == shipped {
			a.ends[e.ID] = append(a.ends[e.ID], shipped)
		}
	}
	for _, l := range b.dead {
		a.ends[l.order] = append(a.ends[l.order], l.queue)
	}
	v := verdict{placed: len(b.placed), deaths: map[string]int{}, effects: b.world}
	for _, id := range slices.Sorted(maps.Keys(b.placed)) {
		a.life(id)
		switch ends := a.ends[id]; {
		case len(ends) != 1:
		case ends[0] == shipped:
			v.shipped++
		default:
			v.dead++
		}
	}
	a.strangers()
	a.letters(v.deaths)
	a.money(&v)
	a.stock(&v)
	a.told(&v)
	a.order()
	v.faults = a.faults
	return v
}

func (a *audit) fault(format string, args ...any) {
	a.faults = append(a.faults, fmt.Sprintf(format, args...))
}

// life checks one order: it ended once, and everything before was done once, with
// the right order at the right price.
func (a *audit) life(id int) {
	ends := a.ends[id]
	if len(ends) != 1 {
		a.fault("order %d ended %d times: %v", id, len(ends), ends)
		return
	}
	var kinds []string
	placed, charge := a.placed[id], ""
	for _, e := range a.entries[id] {
		kinds = append(kinds, e.Kind)
		if e.Kind == paid {
			charge = e.Charge
		}
		want := placed
		want.Cents, want.Charge = prices[placed.Item]*int64(placed.Quantity), charge
		if e.Order != want {
			a.fault("order %d was %s as %+v, and is %+v", id, e.Kind, e.Order, want)
		}
	}
	if !slices.Equal(kinds, lives[ends[0]]) {
		a.fault("order %d, which ended in %s, was %v", id, ends[0], kinds)
	}
}

// strangers are orders that nobody placed.
func (a *audit) strangers() {
	for _, id := range slices.Sorted(maps.Keys(a.entries)) {
		if _, ok := a.placed[id]; !ok {
			a.fault("order %d is in the ledger, and nobody placed it", id)
		}
	}
	for _, l := range a.dead {
		if _, ok := a.placed[l.order]; !ok {
			a.fault("order %d is dead in %s, and nobody placed it", l.order, l.queue)
		}
	}
}

// letters checks that dead letters tell why, and counts their reasons.
func (a *audit) letters(deaths map[string]int) {
	for _, l := range a.dead {
		if l.reason == "" || l.text == "" {
			a.fault("order %d is dead in %s without a reason", l.order, l.queue)
		}
		what, _, _ := strings.Cut(l.text, ":")
		deaths[fmt.Sprintf("%s, %s: %s", l.queue, l.reason, what)]++
	}
	for _, l := range a.lost {
		a.fault("a message about order %d is dead in %s: %s, %s", l.order, l.queue, l.reason, l.text)
	}
}

// money compares the ledger with the payment provider: what was charged was given
// back, or is for goods that were shipped.
func (a *audit) money(v *verdict) {
	for _, c := range a.world.charges {
		v.charged += c.Order.Cents
	}
	for _, c := range a.world.refunds {
		v.refunded += c.Order.Cents
	}
	charges, backs := map[string]int{}, map[int]int{}
	for _, c := range a.world.refunds {
		backs[c.Order.ID]++
	}
	for _, e := range a.ledger {
		switch e.Kind {
		case paid:
			charges[e.Charge]++
			if c, ok := a.world.charges[e.Charge]; !ok || c.Order != e.Order {
				a.fault("order %d was paid with %s, of which the provider knows %+v", e.ID, e.Charge, c.Order)
			}
		case refunded:
			backs[e.ID]--
		case shipped:
			v.sold += e.Cents
		}
	}
	for _, key := range slices.Sorted(maps.Keys(a.world.charges)) {
		if charges[key] != 1 {
			a.fault("charge %s for order %d is in the ledger %d times", key, a.world.charges[key].Order.ID, charges[key])
		}
	}
	for _, id := range slices.Sorted(maps.Keys(backs)) {
		if backs[id] != 0 {
			a.fault("order %d: %+d refunds that are not in the ledger", id, backs[id])
		}
	}
	if v.charged-v.refunded != v.sold {
		a.fault("charged %d, given back %d, but shipped for %d", v.charged, v.refunded, v.sold)
	}
}

// stock compares the stock cards with the ledger.
func (a *audit) stock(v *verdict) {
	gone := map[string]int{}
	for _, e := range a.ledger {
		if e.Kind == reserved {
			gone[e.Item] += e.Quantity
		}
	}
	for _, item := range items {
		cards := a.cards[item]
		if len(cards) != 1 {
			a.fault("%s has %d stock cards", item, len(cards))
			continue
		}
		left := cards[0].Left
		v.stock = append(v.stock, fmt.Sprintf("%s %d = %d + %d", item, a.opening[item], left, gone[item]))
		if left < 0 || left+gone[item] != a.opening[item] {
			a.fault("%s: there were %d, %d are left, %d were taken", item, a.opening[item], left, gone[item])
		}
	}
}

// told compares what customers were told with what happened: each event mailed
// once, and beeped once at most.
func (a *audit) told(v *verdict) {
	events := map[string]int{}
	for id, ends := range a.ends {
		if len(a.entries[id]) > 0 {
			events[fmt.Sprintf("order.created %d", id)] = 1
		}
		switch {
		case len(ends) != 1: // a fault already
		case ends[0] == shipped:
			events[fmt.Sprintf("order.shipped %d", id)] = 1
		case ends[0] == payment, ends[0] == inventory:
			events[fmt.Sprintf("order.refused %d", id)] = 1
		}
	}
	v.events = len(events)
	mailed, beeped := count(a.world.mails), count(a.world.pushes)
	for _, what := range slices.Sorted(maps.Keys(events)) {
		if mailed[what] != 1 {
			a.fault("%s was mailed %d times", what, mailed[what])
		}
		if beeped[what] > 1 {
			a.fault("%s was beeped %d times", what, beeped[what])
		}
	}
	for _, told := range []map[string]int{mailed, beeped} {
		for _, what := range slices.Sorted(maps.Keys(told)) {
			if events[what] == 0 {
				a.fault("%s was told, and did not happen", what)
			}
		}
	}
	for _, what := range a.world.changed {
		a.fault("the world was asked for %s again, for something else", what)
	}
}

func count(calls map[string]call) map[string]int {
	n := map[string]int{}
	for _, c := range calls {
		n[fmt.Sprintf("%s %d", c.Subject, c.Order.ID)]++
	}
	return n
}

// order checks that each customer's parcels left in the order of the orders.
func (a *audit) order() {
	last := map[string]int{}
	for _, e := range a.ledger {
		if e.Kind != shipped {
			continue
		}
		if e.ID < last[e.Customer] {
			a.fault("order %d of %s was shipped after %d", e.ID, e.Customer, last[e.Customer])
		}
		last[e.Customer] = e.ID
	}
}
