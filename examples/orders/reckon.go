package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
)

// money compares the ledger with the payment provider: what was charged was given
// back, or is for goods that were shipped, and each call was for that very order.
func (a *audit) money(v *verdict) {
	charges, orders, backs := map[string]int{}, map[int]int{}, map[Order]int{}
	for _, c := range a.world.charges {
		v.charged += c.Order.Cents
		orders[c.Order.ID]++
	}
	for _, c := range a.world.refunds {
		v.refunded += c.Order.Cents
		backs[c.Order]++
	}
	v.chargedAgain = again(orders)
	for _, e := range a.ledger {
		switch e.Kind {
		case paid:
			charges[e.Charge]++
			asked := e.Order
			asked.Charge = "" // not made yet
			if c := a.world.charges[e.Charge]; c.Order != asked {
				a.fault("order %d was paid with %s, of which the provider knows %+v", e.ID, e.Charge, c.Order)
			}
		case refunded:
			backs[e.Order]--
		case shipped:
			v.sold += e.Cents
		}
	}
	for _, key := range slices.Sorted(maps.Keys(a.world.charges)) {
		if charges[key] != 1 {
			a.fault("charge %s for order %d is in the ledger %d times", key, a.world.charges[key].Order.ID, charges[key])
		}
	}
	for _, o := range ordered(backs) {
		if backs[o] != 0 {
			a.fault("order %d: %+d refunds that are not in the ledger: %+v", o.ID, backs[o], o)
		}
	}
	if v.charged-v.refunded != v.sold {
		a.fault("charged %d, given back %d, but shipped for %d", v.charged, v.refunded, v.sold)
	}
}

// ordered are the keys of a map in the order of their texts.
func ordered[K comparable, V any](m map[K]V) []K {
	return slices.SortedFunc(maps.Keys(m), func(a, b K) int { return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
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
		same := left >= 0 && left+gone[item] == a.opening[item]
		v.stock = append(v.stock, fmt.Sprintf("%s %d %s %d + %d", item, a.opening[item], equals(same), left, gone[item]))
		if !same {
			a.fault("%s: there were %d, %d are left, %d were taken", item, a.opening[item], left, gone[item])
		}
	}
}
