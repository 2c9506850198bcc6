package fsm

// timedOut is a lease that ends.
type timedOut struct {
	place   uint64
	started bool
}

// affords books n leases that end by time; not beyond dueMax in one entry,
// but any one consumer's are done together.
func (s *State) affords(n int) bool {
	if s.work.due > 0 && s.work.due+n > dueMax {
		return false
	}
	s.work.due += n
	return true
}

// expire does what is due, by (deadline, kind, serial), until this entry has
// done enough. The rest stays due; nothing of it is handed out.
func (s *State) expire() {
	for s.broken == nil && s.work.due < dueMax {
		t, ok := s.timers.set.Min()
		if !ok || t.deadline > s.clock.LeaseMillis {
			return
		}
		done := false
		switch t.kind {
		case timerLease:
			done = s.expireLeases(s.consumer(t.id))
		case timerGrace:
			done = s.endGrace(s.session(t.id))
		case timerIdle:
			done = s.endSession(s.session(t.id))
		}
		if !done {
			return
		}
	}
}

// expireLeases ends a consumer's leases that ran out. All are judged before
// the first is ended: the end of one must not make the next look started.
func (s *State) expireLeases(c *consumer) bool {
	q := s.queue(c.queue)
	now := s.clock.LeaseMillis
	out := s.work.ends[:0]
	earliest, rank := int64(0), uint32(0)
	c.held.Scan(func(_, place uint64) bool {
		l, _ := q.leased.Get(place)
		switch {
		case l.deadline <= now:
			out = append(out, timedOut{place, c.started(rank, &l)})
		case earliest == 0 || l.deadline < earliest:
			earliest = l.deadline
		}
		rank++
		return true
	})
	s.work.ends = out
	if !s.affords(max(1, len(out))) {
		return false
	}
	s.timers.move(timerLease, c.serial, &c.armedAt, earliest)
	for _, t := range out {
		s.endLease(q, t.place, ending{failed: t.started, cause: CauseExpired, note: "lease expired"})
	}
	return true
}
