package main

// told compares what customers were told with what happened: each event mailed
// once, and beeped once at most, with the order as it was then.
func (a *audit) told(v *verdict) {
	events := map[call]bool{}
	happened := func(subject string, id int, charge string) {
		events[call{Subject: subject, Order: a.as(id, charge)}] = true
	}
	for id := range a.entries {
		happened("order.created", id, "")
	}
	for id, ends := range a.ends {
		switch {
		case len(ends) != 1: // a fault already
		case ends[0] == shipped:
			happened("order.shipped", id, a.charge[id])
		case ends[0] == payment, ends[0] == inventory:
			happened("order.refused", id, a.charge[id])
		}
	}
	mailed, beeped := count(a.world.mails), count(a.world.pushes)
	v.events, v.mailedAgain, v.beepedAgain = len(events), again(mailed), again(beeped)
	for _, what := range ordered(events) {
		if n := mailed[what]; n != 1 {
			a.fault("%s %d was mailed %d times", what.Subject, what.Order.ID, n)
		}
		if n := beeped[what]; n > 1 {
			a.fault("%s %d was beeped %d times", what.Subject, what.Order.ID, n)
		}
	}
	for _, told := range []map[call]int{mailed, beeped} {
		for _, what := range ordered(told) {
			if !events[what] {
				a.fault("%s %d was told, and did not happen: %+v", what.Subject, what.Order.ID, what.Order)
			}
		}
	}
	for _, what := range a.world.changed {
		a.fault("the world was asked for %s again, for something else", what)
	}
}

// count counts calls that say the same, whatever their keys.
func count(calls map[string]call) map[call]int {
	n := map[call]int{}
	for _, c := range calls {
		c.Key = ""
		n[c]++
	}
	return n
}

// again is how many of them are there more than once.
func again[K comparable](counts map[K]int) (n int) {
	for _, count := range counts {
		if count > 1 {
			n++
		}
	}
	return n
}
