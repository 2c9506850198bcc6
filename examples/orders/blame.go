package main

// A process that is killed may count as a failure of each order that it had begun
// with. Nothing else counts against an order but what is its own fault, not the
// loss of a node either.

// worker is who works on a step.
type worker struct {
	service string
	hands   int // steps that a process has begun with, at most
}

// workers of what the ledger tells, and of the queues in which orders die.
var workers = map[string]worker{
	created: {"order", orderHands}, checkout: {"order", orderHands},
	paid: {"payment", paymentHands}, payment: {"payment", paymentHands},
	reserved: {"inventory", inventoryHands}, inventory: {"inventory", inventoryHands},
	shipped:  {"shipping", shippingHands},
	refunded: {"payment", refundHands},
}

// failed checks how often a step of an order failed, of which so many failures are
// its own fault.
func (a *audit) failed(id int, step string, failures, own int) {
	w, others := workers[step], failures-own
	if killed := a.killed[w.service]; others < 0 || others > killed {
		a.fault("order %d, %s: %d failures, of which %d are its own, and %d processes of %s were killed",
			id, step, failures, own, killed, w.service)
		return
	}
	a.blamed[w] += others
}

// kills checks that those who were killed took no more with them than they held.
func (a *audit) kills() {
	for _, w := range ordered(a.blamed) {
		if n, most := a.blamed[w], a.killed[w.service]*w.hands; n > most {
			a.fault("%d orders failed for kills of %s, which held %d at most", n, w.service, most)
		}
	}
}
