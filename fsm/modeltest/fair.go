package modeltest

import "github.com/ferrymq/ferrymq/fsm"

// setWeight says how often a tenant is served in one round.
func (m *Model) setWeight(x *fsm.TenantWeight) Outcome {
	q := m.queues[x.Queue]
	switch {
	case q == nil:
		return answer(fsm.NotFound)
	case q.dlq == nil, !q.settings.Fair, x.Weight > fsm.MaxTenantWeight, len(x.Tenant) > fsm.MaxKeyBytes:
		return answer(fsm.Invalid)
	}
	if known := q.tenants(); x.Weight > 1 && x.Tenant != "" && !known[x.Tenant] && len(known) >= m.bounds.Tenants {
		return busy(fsm.CauseTenants)
	}
	q.weights[x.Tenant] = max(1, x.Weight)
	if len(q.ring) > 0 {
		q.yield()
	}
	return answer(fsm.OK)
}
