package fsm

import "fmt"

// plan is what an operation that is all or nothing would do if it was carried
// out, so that it can be judged before anything is changed.
type plan struct {
	rooms map[uint64]*room         // by queue; these are looked up, never walked
	ids   map[uint64]map[hash]seen // by queue or topic
	freed map[uint64]freed         // by queue
}

// freed is what the acks of a commit take out of a queue before.
type freed struct{ messages, bytes uint64 }

func newPlan() *plan { return &plan{} }

func (p *plan) idsOf(incarnation uint64) map[hash]seen {
	if p == nil {
		return nil
	}
	return p.ids[incarnation]
}

func (p *plan) note(incarnation uint64, x *seen) {
	if p.ids == nil {
		p.ids = map[uint64]map[hash]seen{}
	}
	if p.ids[incarnation] == nil {
		p.ids[incarnation] = map[hash]seen{}
	}
	p.ids[incarnation][x.id] = *x
}

func (p *plan) room(s *State, q *queue) *room {
	r := p.rooms[q.incarnation]
	if r == nil {
		now := s.roomOf(q, p.freed[q.incarnation], p.freed[q.deadLetter])
		r = &now
		if p.rooms == nil {
			p.rooms = map[uint64]*room{}
		}
		p.rooms[q.incarnation] = r
	}
	return r
}

// refusal tells why the examined messages cannot all be stored, by the first
// of them that cannot.
func (s *State) refusal(p *plan, entry []byte) Result {
	w := &s.work
	for _, v := range w.verdicts {
		if v.Code != OK {
			return Result{Code: v.Code, Detail: s.faultOf(entry)}
		}
	}
	if !s.planLines() {
		return Result{Code: Busy, Cause: CauseMessages, RetryAfterMillis: RetryFullMillis}
	}
	if r, sure := s.plainly(p); sure {
		return r
	}
	for i := range w.incoming {
		if v := s.planOne(p, i, entry); !v.Code.accepted() {
			r := Result{Code: v.Code, Cause: v.Cause, RetryAfterMillis: v.RetryAfterMillis, Detail: s.detail(entry)}
			if v.Code == Conflict {
				r.Detail = fmt.Sprintf("message %d: its id was used with other content", i)
			}
			return r
		}
	}
	return Result{}
}

// planLines tells whether the queues may have as many more lines as there are
// messages: what is all or nothing is refused a little before the limit.
func (s *State) planLines() bool {
	w := &s.work
	for i := range w.targets {
		if q := w.targets[i].queue; q != nil && !q.linesFit(len(w.incoming)) {
			return false
		}
	}
	for _, incarnation := range w.matched {
		if q, _ := s.queues.Get(incarnation); !q.linesFit(len(w.incoming)) {
			return false
		}
	}
	return true
}

// plainly judges what needs no plan: no messages, or those for one queue that
// has room for all of them, or refuses those past its limits and has nothing
// freed before.
func (s *State) plainly(p *plan) (r Result, sure bool) {
	w := &s.work
	if len(w.targets) == 0 {
		return Result{}, true
	}
	q := w.targets[0].queue
	if len(w.targets) > 1 || q == nil || q.settings.DedupMillis != 0 {
		return Result{}, false
	}
	sum := uint64(0)
	for i := range w.incoming {
		sum += uint64(w.incoming[i].size)
	}
	full := q.fitsAll(uint64(len(w.incoming)), sum)
	if full != CauseNone && q.settings.Overflow == OverflowReject && len(p.freed) == 0 {
		return Result{Code: Busy, Cause: full, RetryAfterMillis: RetryFullMillis}, true
	}
	return Result{}, full == CauseNone
}

// planOne judges a message as if those before were stored.
func (s *State) planOne(p *plan, i int, entry []byte) (v Verdict) {
	w := &s.work
	in := &w.incoming[i]
	to := &w.targets[in.to]
	a := s.arrivalOf(i, entry)
	x, identified := s.identify(in, &a, entry)
	if identified {
		if v := to.judgeID(p, &x); v.Code != OK {
			return v
		}
	}
	if to.queue != nil {
		v = p.room(s, to.queue).take(a.size)
	} else {
		v = s.planInAll(p, in, a.size)
	}
	if identified && v.Code == OK {
		p.note(to.intake().incarnation, &x)
	}
	return v
}

func (s *State) planInAll(p *plan, in *incoming, size uint32) Verdict {
	all := s.work.matched[in.from:in.until]
	for _, incarnation := range all {
		if q, _ := s.queues.Get(incarnation); q.subscription.required {
			if v, _ := p.room(s, q).judge(size); v.Code == Busy {
				s.refused(q)
				return v
			}
		}
	}
	for _, incarnation := range all {
		q, _ := s.queues.Get(incarnation)
		p.room(s, q).take(size)
	}
	return Verdict{}
}
