package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// lives are the entries that an order must have, in this order: when it was
// shipped, or by the queue in which it died. No order has to die in shipping.
var lives = map[string][]string{
	shipped:   {created, paid, reserved, shipped},
	checkout:  nil,
	payment:   {created},
	inventory: {created, paid, refunded},
}

// audit judges books. It finds everything that does not add up.
type audit struct {
	*books
	entries map[int][]Entry  // by order
	charge  map[int]string   // the same
	ends    map[int][]string // shipped, or the queue in which it died
	deaths  map[int]letter
	blamed  map[worker]int // failures for kills
	faults  []string
}

func (b *books) judge() verdict {
	a := b.sorted()
	v := verdict{placed: len(b.placed), deaths: map[string]int{}, effects: b.world}
	a.orders(&v)
	a.kills()
	a.strangers()
	a.letters(v.deaths)
	a.money(&v)
	a.stock(&v)
	a.told(&v)
	a.order()
	v.faults = a.faults
	return v
}

// sorted has everything by its order.
func (b *books) sorted() *audit {
	a := &audit{
		books: b, entries: map[int][]Entry{}, charge: map[int]string{}, ends: map[int][]string{}, deaths: map[int]letter{},
		blamed: map[worker]int{}, faults: slices.Clone(b.faults),
	}
	for _, e := range b.ledger {
		a.entries[e.ID] = append(a.entries[e.ID], e)
		switch e.Kind {
		case paid:
			a.charge[e.ID] = e.Charge
		case shipped:
			a.ends[e.ID] = append(a.ends[e.ID], shipped)
		}
	}
	for _, l := range b.dead {
		a.ends[l.order], a.deaths[l.order] = append(a.ends[l.order], l.Queue), l
	}
	return a
}

func (a *audit) fault(format string, args ...any) {
	a.faults = append(a.faults, fmt.Sprintf(format, args...))
}

// orders checks that each order ended once, as it had to, by all the steps that
// lead there.
func (a *audit) orders(v *verdict) {
	for _, id := range slices.Sorted(maps.Keys(a.placed)) {
		ends := a.ends[id]
		if len(ends) != 1 {
			a.fault("order %d ended %d times: %v", id, len(ends), ends)
			continue
		}
		a.fated(id, ends[0])
		a.life(id, ends[0])
		if ends[0] == shipped {
			v.shipped++
		} else {
			v.dead++
		}
	}
}

// as is an order as the shop knows it: what the customer sent, at its price, and
// with its payment once it was made.
func (a *audit) as(id int, charge string) Order {
	o := a.placed[id].order
	o.Cents, o.Charge = prices[o.Item]*int64(o.Quantity), charge
	return o
}

// life checks that everything before an order's end was done once, with the right
// order at the right price, and failed only as it had to.
func (a *audit) life(id int, end string) {
	var kinds []string
	want := a.as(id, "")
	for _, e := range a.entries[id] {
		kinds = append(kinds, e.Kind)
		if e.Kind == paid {
			want.Charge = e.Charge
		}
		if e.Order != want {
			a.fault("order %d was %s as %+v, and is %+v", id, e.Kind, e.Order, want)
		}
		own := 0
		if e.Kind == shipped && lacksVan(e.Order) {
			own = 1
		}
		a.failed(id, e.Kind, e.Failures, own)
	}
	if steps, ok := lives[end]; ok && !slices.Equal(kinds, steps) {
		a.fault("order %d, which ended in %s, was %v", id, end, kinds)
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
			a.fault("order %d is dead in %s, and nobody placed it", l.order, l.Queue)
		}
	}
}

// letters counts why orders are dead. Nothing else may be.
func (a *audit) letters(deaths map[string]int) {
	for _, l := range a.dead {
		what, _, _ := strings.Cut(l.Error, ":")
		deaths[fmt.Sprintf("%s, %s: %s", l.Queue, l.Reason, what)]++
	}
	for _, l := range a.lost {
		a.fault("a message about order %d is dead in %s: %s, %s", l.order, l.Queue, l.Reason, l.Error)
	}
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
