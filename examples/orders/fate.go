package main

import (
	"encoding/json"
	"fmt"
	"strings"
)

// fate is how an order has to end.
type fate struct {
	end      string // shipped, or the queue in which it dies
	reason   string // of its death
	text     string // how the error begins that it dies of
	failures int    // the queue's limit, where the reason is failures
}

// Reasons of a death.
const (
	failures = "failures" // as many as the queue's limit
	rejected = "rejected" // by the service
)

// fateOf says what has to become of what a customer sent, as long as there are
// goods.
func fateOf(sent planned) fate {
	o := sent.order
	switch {
	case !json.Valid(sent.body):
		return fate{checkout, failures, "not understood", checkoutFailures}
	case o.Quantity < 1 || o.Quantity > quantityMax:
		return fate{checkout, rejected, fmt.Sprintf("quantity %d is not 1 to %d", o.Quantity, quantityMax), 0}
	case prices[o.Item] == 0:
		return fate{checkout, rejected, fmt.Sprintf("nobody knows what a %s costs", o.Item), 0}
	case strings.HasPrefix(o.Card, stolen):
		return fate{payment, rejected, "card declined", 0}
	}
	return fate{end: shipped}
}

func (f fate) String() string {
	if f.end == shipped {
		return shipped
	}
	return fmt.Sprintf("dead in %s, %s: %s", f.end, f.reason, f.text)
}

// fated checks that an order ended as it had to.
func (a *audit) fated(id int, end string) {
	want, l := fateOf(a.placed[id]), a.deaths[id]
	if want.end == shipped && end == inventory {
		want = a.refusal(id, l.Error)
	}
	if end != want.end || l.Reason != want.reason || !strings.HasPrefix(l.Error, want.text) {
		a.fault("order %d had to be %v, and is %v", id, want, fate{end, l.Reason, l.Error, 0})
		return
	}
	if end == shipped {
		return
	}
	switch said := tries(l, want.text); want.reason {
	case failures:
		if l.Failures != want.failures {
			a.fault("order %d is %v, after %d failures, not %d", id, want, l.Failures, want.failures)
		}
		a.failed(id, end, l.Failures, said)
	case rejected:
		if said != 1 {
			a.fault("order %d is %v, which its service said %d times", id, want, said)
		}
		a.failed(id, end, l.Failures, 0)
	}
}

// tries are the attempts that a service ended with an error.
func tries(l letter, text string) (n int) {
	for _, attempt := range l.History {
		if strings.HasPrefix(attempt.Error, text) {
			n++
		}
	}
	return n
}

// refusal is the fate of a good order that found an empty shelf: the error says
// how few were left, and so few there were at some time between its payment and
// its refund. It is shipped as any other if that was never so.
func (a *audit) refusal(id int, text string) fate {
	o := a.placed[id].order
	left, open := a.opening[o.Item], false
	for _, e := range a.ledger {
		switch {
		case e.ID == id && e.Kind == paid:
			open = true
		case e.ID == id && e.Kind == refunded:
			open = false
		case e.Item == o.Item && e.Kind == reserved:
			left -= e.Quantity
		}
		if !open || left >= o.Quantity {
			continue
		}
		if empty := fmt.Sprintf("out of stock: %d left, not %d", left, o.Quantity); text == empty {
			return fate{inventory, rejected, empty, 0}
		}
	}
	return fate{end: shipped}
}
