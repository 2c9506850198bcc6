package fsm

import "github.com/ferrymq/ferrymq/fsm/record"

// linePlan is what a plan does to the lines of a queue. Lines and tenants that
// end because their messages are dropped count as there.
type linePlan struct {
	made, ended lineNames
}

// lineNames are looked up, never walked.
type lineNames struct {
	keys    map[lineKey]struct{}
	tenants map[string]struct{}
}

func newLinePlan() *linePlan {
	names := func() lineNames { return lineNames{map[lineKey]struct{}{}, map[string]struct{}{}} }
	return &linePlan{names(), names()}
}

// lineCause tells why a queue does not take a message for its line: there are too
// many, or too many tenants. Whoever is a new tenant is one in a group that is
// there, too: its line may end when room is made, and be made anew for him.
func (s *State) lineCause(q *queue, info *record.Info, planned *linePlan) Cause {
	if info == nil || q.lines == nil && planned == nil {
		return CauseNone
	}
	key, other := q.lineKeyOf(info)
	if !other {
		return CauseNone
	}
	lines, tenants := q.lineCounts(planned)
	switch {
	case lines >= s.bounds.Groups && !q.hasLine(key, planned):
		return CauseGroups
	case tenants >= s.bounds.Tenants && !q.hasTenant(q.tenantOf(info), planned):
		return CauseTenants
	}
	return CauseNone
}

func (q *queue) hasLine(key lineKey, planned *linePlan) (ok bool) {
	if q.lines != nil {
		_, ok = q.lines.named[key]
	}
	if planned != nil {
		_, ended := planned.ended.keys[key]
		_, made := planned.made.keys[key]
		ok = ok && !ended || made
	}
	return ok
}

// hasTenant: that without a name is no tenant, and always there.
func (q *queue) hasTenant(name string, planned *linePlan) bool {
	if name == "" {
		return true
	}
	ok := false
	if q.lines != nil {
		_, ok = q.lines.tenants.Get(name)
	}
	if planned != nil {
		_, ended := planned.ended.tenants[name]
		_, made := planned.made.tenants[name]
		ok = ok && !ended || made
	}
	return ok
}

// lineCounts are the lines and the tenants by name.
func (q *queue) lineCounts(planned *linePlan) (lines, tenants int) {
	if q.lines != nil {
		lines, tenants = q.lines.all.Len(), q.lines.tenants.Len()-1
	}
	if planned != nil {
		lines += len(planned.made.keys) - len(planned.ended.keys)
		tenants += len(planned.made.tenants) - len(planned.ended.tenants)
	}
	return lines, tenants
}

// linesFit tells whether there may be so many more lines, if each were of a
// new tenant.
func (s *State) linesFit(q *queue, n int) bool {
	lines, tenants := q.lineCounts(nil)
	return lines+n <= s.bounds.Groups && (!q.settings.Fair || tenants+n <= s.bounds.Tenants)
}

// bookLine plans the line of a message, where there is not plenty of room for
// any.
func (s *State) bookLine(p *plan, q *queue, info *record.Info) {
	if info == nil || s.linesFit(q, len(s.work.incoming)) {
		return
	}
	key, other := q.lineKeyOf(info)
	if !other {
		return
	}
	planned := p.linesOf(q)
	if tenant := q.tenantOf(info); !q.hasTenant(tenant, planned) {
		planned.made.tenants[tenant] = struct{}{}
	}
	if !q.hasLine(key, planned) {
		planned.made.keys[key] = struct{}{}
	}
}

func (p *plan) linesOf(q *queue) *linePlan {
	if p.lines == nil {
		p.lines = map[uint64]*linePlan{}
	}
	if p.lines[q.incarnation] == nil {
		p.lines[q.incarnation] = newLinePlan()
	}
	return p.lines[q.incarnation]
}

// endLines plans the ends of lines all of whose messages are acked, where there
// is not plenty of room for new ones. One that is parked does not end.
func (s *State) endLines(p *plan, items []SettleItem) {
	type at struct {
		queue uint64
		line  uint32
	}
	type of struct {
		queue  uint64
		tenant string
	}
	acked, lines := map[at]uint64{}, map[of]int{}
	for i := range items {
		it := &items[i]
		q, _ := s.queues.Get(it.Incarnation)
		if it.Action != ActionAck || s.linesFit(q, MaxItems) {
			continue
		}
		m, _ := q.leased.Get(it.Place)
		if m.line == 0 {
			continue
		}
		l, _ := q.lines.all.Get(m.line)
		a := at{q.incarnation, m.line}
		if acked[a]++; acked[a] < l.messages || l.parked {
			continue
		}
		ended := &p.linesOf(q).ended
		ended.keys[l.key()] = struct{}{}
		o := of{q.incarnation, l.tenant}
		t, _ := q.lines.tenants.Get(l.tenant)
		if lines[o]++; lines[o] == t.lines && t.weight == 0 && t.name != "" {
			ended.tenants[t.name] = struct{}{}
		}
	}
}
