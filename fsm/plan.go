package fsm

import "fmt"

// plan is what an operation that is all or nothing would do if it was carried
// out, so that it can be judged before anything is changed.
type plan struct {
	rooms map[uint64]*room         // by queue; these are looked up, never walked
	ids   map[uint64]map[hash]seen // by queue or topic
	freed map[uint64]amount        // by queue: what acks take out before
	lines map[uint64]*linePlan     // by queue
	spent efforts                  // with those of the entry so far
	short *room                    // that refused a message as crowded
	size  uint32                   // of that message
	full  *room                    // that refused a message as full
}

func (s *State) newPlan(freed map[uint64]amount) *plan {
	return &plan{freed: freed, spent: s.work.efforts}
}

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
	if r, sure := s.plainly(p); sure {
		return r
	}
	for i := range w.incoming {
		if v := s.planOne(p, i, entry); !v.Code.accepted() {
			r := Result{Code: v.Code, Cause: v.Cause, RetryAfterMillis: v.RetryAfterMillis, Detail: s.detail(entry)}
			switch {
			case v.Code == Conflict:
				r.Detail = fmt.Sprintf("message %d: its id was used with other content", i)
			case p.full != nil && s.neverFits(p, i, entry):
				r = p.full.queue.tooMuch()
			}
			s.abandon(p)
			return r
		}
	}
	return Result{}
}

// abandon keeps of a plan that failed what it cost, and that a queue is crowded:
// with all that the plan had in mind for it.
func (s *State) abandon(p *plan) {
	for i := range p.spent {
		s.work.efforts[i].looked = p.spent[i].looked
	}
	if r := p.short; r != nil {
		s.crowd(s.queue(r.queue.incarnation), forRefusing,
			amount{r.taken.messages + 1, r.taken.bytes + uint64(p.size)}, r.gone)
	}
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
	if len(w.targets) > 1 || q == nil || q.settings.DedupMillis != 0 || !s.linesFit(q, len(w.incoming)) {
		return Result{}, false
	}
	sum := uint64(0)
	for i := range w.incoming {
		if !q.holds(w.incoming[i].size) {
			return Result{}, false
		}
		sum += uint64(w.incoming[i].size)
	}
	full := q.fitsAll(uint64(len(w.incoming)), sum)
	switch {
	case full == CauseNone:
		return Result{}, true
	case q.settings.Overflow != OverflowReject || len(p.freed) > 0:
		return Result{}, false
	case q.within(uint64(len(w.incoming)), sum) != CauseNone:
		return q.tooMuch(), true
	}
	return Result{Code: Busy, Cause: full, RetryAfterMillis: RetryFullMillis}, true
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
		if v = s.planIn(p, to.queue, &a, forRefusing); v.Code == TooLarge {
			s.refused(to.queue, v)
		}
	} else {
		v = s.planInAll(p, in, &a)
	}
	if identified && v.Code == OK {
		p.note(to.intake().incarnation, &x)
	}
	return v
}

// planIn judges a message for a queue, and books it if it is taken.
func (s *State) planIn(p *plan, q *queue, a *arrival, why purpose) Verdict {
	v, victims := s.planned(p, q, a, why, 0)
	if v.Code != OK {
		return v
	}
	p.room(s, q).book(a.size, victims)
	p.spent[why].dropped += victims - 1
	s.bookLine(p, q, a.info)
	return v
}

// planned judges a message for a queue as if those before were stored.
func (s *State) planned(p *plan, q *queue, a *arrival, why purpose, kept int) (v Verdict, victims int) {
	if !q.holds(a.size) {
		return Verdict{Code: TooLarge}, 0
	}
	if cause := s.lineCause(q, a.info, p.lines[q.incarnation]); cause != CauseNone {
		return Verdict{Code: Busy, Cause: cause, RetryAfterMillis: RetryFullMillis}, 0
	}
	r := p.room(s, q)
	v, victims = s.judge(r, a.size, &p.spent[why], kept)
	switch {
	case why != forRefusing:
	case v.Cause == CauseRoom:
		p.short, p.size = r, a.size
	case v.Code == Busy && q.settings.Overflow == OverflowReject:
		p.full = r
	}
	return v, victims
}

// planInAll follows storeInAll.
func (s *State) planInAll(p *plan, in *incoming, a *arrival) Verdict {
	all := s.work.matched[in.from:in.until]
	kept := 0
	for _, incarnation := range all {
		if q, _ := s.queues.Get(incarnation); q.subscription.required {
			v, victims := s.planned(p, q, a, forRefusing, kept)
			if v.Code != OK {
				s.refused(q, v)
				return v
			}
			kept += victims - 1
		}
	}
	for _, incarnation := range all {
		q, _ := s.queues.Get(incarnation)
		if v := s.planIn(p, q, a, q.purpose()); v.Cause == CauseGroups || v.Cause == CauseTenants {
			s.work.planToMiss(in, incarnation, v)
		}
	}
	return Verdict{}
}

// toMiss is a message, by where it is in its entry, that a subscription misses.
type toMiss struct {
	offset      int
	incarnation uint64
}

// planToMiss has a subscription miss a message as it was planned. To the plan,
// lines that its drops end are there: left to the state as it is by then, the
// message might be taken, and have the room of another one.
func (w *work) planToMiss(in *incoming, incarnation uint64, v Verdict) {
	if w.missed == nil {
		w.missed = map[toMiss]Verdict{}
	}
	w.missed[toMiss{in.offset, incarnation}] = v
}

// plannedToMiss is the verdict by which it was; ok if it was not.
func (w *work) plannedToMiss(in *incoming, incarnation uint64) Verdict {
	return w.missed[toMiss{in.offset, incarnation}]
}
