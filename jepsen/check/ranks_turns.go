package check

import (
	"maps"
	"slices"
)

// row is what was counted of one tenant's hand-outs since nothing was in doubt.
type row struct {
	unknown bool // when those below the highest priority had their last turn
	since   int  // hand-outs since that, or since the queue was made
	passed  int  // in a row, of the highest priority that there is, while a lower one waited
	waits   map[string]int
}

// row begins, if there was nothing of the tenant before.
func (j *usher) row(tenant string) *row {
	r := j.rows[tenant]
	if r == nil {
		r = &row{unknown: !j.whole, waits: map[string]int{}}
		j.rows[tenant] = r
	}
	return r
}

// priorities judges a hand-out by what else waits of its tenant.
func (j *usher) priorities(g *handing) {
	r := j.row(g.rank.Tenant)
	top, low := g.rank.Priority, g.rank.Priority
	for _, w := range j.now {
		if w.rank.Tenant == g.rank.Tenant {
			top, low = max(top, w.rank.Priority), min(low, w.rank.Priority)
		}
	}
	if top > g.rank.Priority {
		j.below(g, r, top)
		return
	}
	r.since++
	if low < g.rank.Priority {
		j.passed++
	}
	// Of a priority between, nobody knows whether it was its turn as a lower one.
	if low == g.rank.Priority || g.rank.Priority < j.highest[g.rank.Tenant] {
		r.passed = 0
		return
	}
	if r.passed++; r.passed >= j.Guard {
		j.v.Add(KindStarved, g.d.Call, "the %dth of priority %d in a row while one of %d waited: %s",
			r.passed, g.rank.Priority, low, g.d)
	}
}

// below judges a hand-out while one of a higher priority, top, certainly waited.
func (j *usher) below(g *handing, r *row, top int) {
	j.guarded++
	if !r.unknown && r.since < j.Guard-1 {
		j.v.Add(KindOvertook, g.d.Call, "priority %d before %d, %d hand-outs after the last turn of a lower one: %s",
			g.rank.Priority, top, r.since, g.d)
	}
	for _, w := range j.now {
		if w.rank.Tenant == g.rank.Tenant && w.rank.Priority < top && w.id.Before(g.d.ID) {
			j.v.Add(KindOrder, g.d.Call, "%s of priority %d waited longer: %s", w.id, w.rank.Priority, g.d)
			break
		}
	}
	r.unknown, r.since, r.passed = false, 0, 0
}

// stint is a tenant's hand-outs in a row.
type stint struct {
	tenant string
	any    bool // there was a hand-out before; the rest counts only then
	begun  bool // the turn began with the first of them
	used   int
	more   bool // something of the tenant certainly waits
}

// turns judges a hand-out by the other tenants that wait.
func (j *usher) turns(g *handing) {
	mine := g.rank.Tenant
	waiting := map[string]bool{}
	for _, w := range j.now {
		waiting[w.rank.Tenant] = true
	}
	j.oneTurn(g, waiting[mine])
	delete(waiting, mine)
	if len(waiting) > 0 {
		j.waited++
	}
	for tenant, r := range j.rows {
		if !waiting[tenant] {
			clear(r.waits)
		}
	}
	for _, tenant := range slices.Sorted(maps.Keys(waiting)) {
		waits := j.row(tenant).waits
		if waits[mine]++; waits[mine] > j.weight(mine) {
			j.v.Add(KindTurn, g.d.Call, "the %dth of %s while %s waited: %s", waits[mine], mine, tenant, g.d)
		}
	}
}

// oneTurn: who has begun goes on until its weight is used, or nothing waits.
func (j *usher) oneTurn(g *handing, more bool) {
	t := &j.turn
	if !t.any || t.tenant != g.rank.Tenant {
		if t.begun && t.more && t.used < j.weight(t.tenant) {
			j.v.Add(KindTurn, g.d.Call, "%s had %d in its turn, and more waited: %s", t.tenant, t.used, g.d)
		}
		*t = stint{tenant: g.rank.Tenant, any: true, begun: t.any}
	}
	t.used++
	t.more = more
}

func (j *usher) weight(tenant string) int { return max(1, j.Weights[tenant]) }
