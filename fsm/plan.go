package fsm

// plan is what an operation that is all or nothing would do if it was carried
// out, so that it can be judged before anything is changed.
type plan struct {
	rooms map[uint64]*room // by queue; looked up, never walked
}

func newPlan() *plan { return &plan{rooms: map[uint64]*room{}} }

func (s *State) plannedRoom(p *plan, q *queue) *room {
	r := p.rooms[q.incarnation]
	if r == nil {
		fresh := s.roomOf(q)
		r = &fresh
		p.rooms[q.incarnation] = r
	}
	return r
}

// planAll judges the examined messages one after the other as if those before
// were stored, up to the first that is refused.
func (s *State) planAll(p *plan) Verdict {
	w := &s.work
	for i := range w.incoming {
		if v := s.planOne(p, &w.incoming[i]); !v.Code.accepted() {
			return v
		}
	}
	return Verdict{}
}

func (s *State) planOne(p *plan, in *incoming) Verdict {
	r := s.plannedRoom(p, s.work.targets[in.to].queue)
	v, victims := r.judge(in.size)
	if v.Code == OK {
		r.book(in.size, victims)
	}
	return v
}
