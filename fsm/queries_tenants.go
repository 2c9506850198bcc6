package fsm

// TenantInfo describes a tenant of a fair queue.
type TenantInfo struct {
	Name   string
	Weight uint32 // messages that it gets in its turn
}

// Tenants lists the tenants of a queue that have a weight above 1 and names
// greater than after, in the order of their names, at most limit; more tells
// whether there are others. The tenant "" comes first, on the page after "". It
// is not ok without such a queue.
func (s *State) Tenants(queue, after string, limit int) (page []TenantInfo, more, ok bool) {
	incarnation, ok := s.names.Get(queue)
	if !ok {
		return nil, false, false
	}
	q, _ := s.queues.Get(incarnation)
	if q.lines == nil {
		return nil, false, true
	}
	q.lines.tenants.Ascend(after, func(name string, t *tenant) bool {
		switch {
		case name <= after && after != "", t.weight == 0:
			return true
		case len(page) >= limit:
			more = true
			return false
		}
		page = append(page, TenantInfo{name, t.weight})
		return true
	})
	return page, more, true
}
