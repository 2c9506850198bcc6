package fsm

import "github.com/tidwall/btree"

// tenant is whose messages take turns with those of others in a fair queue.
// Any other queue has one, "", for all its lines.
type tenant struct {
	gen  uint64
	name string

	guard  uint32 // hand-outs in a row that passed a lower priority by, while something was left
	weight uint32 // fair: 0 is 1
	turn   uint64 // in the ring, 0: nothing can be served
	used   uint32 // of its quantum, in this turn

	// Derived.
	lines int                       // of it, but the plain one
	ready btree.Map[uint64, uint32] // rank to line: those that can be served
}

// The lines of a tenant are ranked by falling priority, then by the place of
// their fronts.
const (
	rankShift = 58
	maxPlace  = 1<<rankShift - 1
)

func rank(priority uint8, place uint64) uint64 {
	return uint64(31-priority)<<rankShift | place
}

// levels tells whether more than one priority has something to serve.
func (t *tenant) levels() bool {
	first, _, ok := t.ready.Min()
	last, _, _ := t.ready.Max()
	return ok && first>>rankShift != last>>rankShift
}

// below is the line with the lowest front of those below the highest priority.
func (t *tenant) below() (n uint32) {
	first, _, _ := t.ready.Min()
	lowest := uint64(maxPlace + 1)
	for level := first >> rankShift; ; {
		found := false
		t.ready.Ascend((level+1)<<rankShift, func(r uint64, line uint32) bool {
			found, level = true, r>>rankShift
			if place := r & maxPlace; place < lowest {
				lowest, n = place, line
			}
			return false
		})
		if !found {
			return n
		}
	}
}

func (t *tenant) quantum() uint32 { return max(t.weight, 1) }

// tenant returns a tenant for changing it.
func (o *lines) tenant(name string) *tenant {
	t, ok := o.tenants.Get(name)
	if !ok || t.gen == o.gen {
		return t
	}
	c := *t
	c.gen = o.gen
	o.tenants.Set(name, &c)
	return &c
}

func (o *lines) makeTenant(name string) *tenant {
	t := o.tenant(name)
	if t == nil {
		t = &tenant{gen: o.gen, name: name}
		o.tenants.Set(name, t)
	}
	return t
}

// forget lets go of a tenant that has neither lines nor a weight.
func (o *lines) forget(t *tenant) {
	if t.name != "" && t.lines == 0 && t.weight == 0 {
		o.tenants.Delete(t.name)
	}
}

// level puts a tenant into the ring or takes it out, by whether it has
// something that can be served. A turn that ends early leaves nothing over.
// Who was passed by goes on waiting when the last of the higher ones is gone,
// and would for ever if they came one by one and each began a new count.
func (q *queue) level(t *tenant) {
	if t.ready.Len() == 0 {
		t.guard = 0
	}
	if !q.settings.Fair {
		return
	}
	o := q.lines
	switch can := t.ready.Len() > 0; {
	case can && t.turn == 0:
		o.join(t)
	case !can && t.turn != 0:
		o.ring.Delete(t.turn)
		t.turn, t.used = 0, 0
	}
}

// join puts a tenant at the end of the ring.
func (o *lines) join(t *tenant) {
	last, _, _ := o.ring.Max()
	t.turn, t.used = last+1, 0
	o.ring.Set(t.turn, t.name)
}

// yield ends the turn of a tenant whose quantum is used.
func (o *lines) yield(t *tenant) {
	if t.turn != 0 && t.used >= t.quantum() {
		o.ring.Delete(t.turn)
		o.join(t)
	}
}

// weigh sets how many messages a tenant of a fair queue gets in a turn.
func (s *State) weigh(c *TenantWeight) Result {
	q, r := s.owned(c.Queue)
	switch {
	case q == nil:
		return r
	case !q.settings.Fair:
		return Result{Code: Invalid, Detail: "the queue is not fair"}
	case len(c.Tenant) > MaxKeyBytes:
		return Result{Code: Invalid, Detail: "tenant is longer than 256 bytes"}
	case c.Weight > MaxTenantWeight:
		return Result{Code: Invalid, Detail: "weight is more than 1000"}
	}
	weight := c.Weight
	if weight == 1 {
		weight = 0
	}
	if q.lines == nil && weight == 0 {
		return Result{}
	}
	o := q.ordered()
	if _, tenants := q.lineCounts(nil); weight != 0 && tenants >= s.bounds.Tenants && !q.hasTenant(c.Tenant, nil) {
		q.endLines()
		return Result{Code: Busy, Cause: CauseTenants, RetryAfterMillis: RetryFullMillis}
	}
	t := o.makeTenant(c.Tenant)
	t.weight = weight
	o.yield(t)
	o.forget(t)
	q.endLines()
	return Result{}
}
