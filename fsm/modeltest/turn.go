package modeltest

import "slices"

// turn is a tenant's place in the round of a fair queue.
type turn struct {
	tenant string
	used   uint32 // of its weight, in this turn
}

func (q *queue) weight(tenant string) uint32 { return max(1, q.weights[tenant]) }

// survey follows every change of what can be served: the ring of tenants, and
// the counts of hand-outs that passed lower priorities by.
func (q *queue) survey() {
	for tenant := range q.guard {
		if first, _ := q.best(tenant); first == nil {
			delete(q.guard, tenant)
		}
	}
	q.ringIn()
}

// ringIn keeps the ring: who has nothing to be served leaves it, who has
// something new joins at its end.
func (q *queue) ringIn() {
	if !q.settings.Fair {
		q.ring = nil
		return
	}
	has := map[string]int{} // tenant to its first line
	for _, l := range q.lines {
		if first, ok := has[l.tenant]; q.servable(l) != nil && (!ok || l.number < first) {
			has[l.tenant] = l.number
		}
	}
	q.ring = slices.DeleteFunc(q.ring, func(t *turn) bool {
		_, ok := has[t.tenant]
		return !ok
	})
	for _, t := range q.ring {
		delete(has, t.tenant)
	}
	var joining []string
	for tenant := range has {
		joining = append(joining, tenant)
	}
	slices.SortFunc(joining, func(a, b string) int { return has[a] - has[b] })
	for _, tenant := range joining {
		q.ring = append(q.ring, &turn{tenant: tenant})
	}
}

// tookTurn: the tenant at the front was served once.
func (q *queue) tookTurn() {
	q.ring[0].used++
	q.yield()
}

// yield ends the turn of a tenant whose weight is used.
func (q *queue) yield() {
	if t := q.ring[0]; t.used >= q.weight(t.tenant) {
		q.ring = append(q.ring[1:], &turn{tenant: t.tenant})
	}
}
