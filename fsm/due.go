package fsm

import "github.com/tidwall/btree"

// timedOut is a lease that ends.
type timedOut struct {
	place   uint64
	started bool
}

// looksForOne is how many leases are looked at in the time that it takes to end one.
const looksForOne = 16

// affords books n leases or messages that are due; not beyond bounds.Due in one entry,
// but any one consumer's are done together.
func (s *State) affords(n int) bool {
	if s.work.due > 0 && s.work.due+n > s.bounds.Due {
		return false
	}
	s.work.due += n
	return true
}

// expire does what is due, first by the lease clock and then by the wall
// clock, until this entry has done enough. The rest stays due; nothing of it
// is handed out. What the lease clock returns may have outlived its time by
// the wall clock; never the other way round.
func (s *State) expire() {
	s.expireOn(s.timers.lease, s.clock.LeaseMillis)
	s.expireOn(s.timers.onWall, s.clock.WallMillis)
}

// expireOn does what is due on one clock, by (deadline, kind, id).
func (s *State) expireOn(set *btree.BTreeG[timer], now int64) {
	for s.broken == nil && s.work.due < s.bounds.Due {
		t, ok := set.Min()
		if !ok || t.deadline > now {
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
		case timerQueue:
			done = s.wakeByLease(s.queue(t.id))
		case timerBreaker:
			done = s.tryBreaker(s.queue(t.id))
		case timerRate:
			done = s.wakeByRate(s.queue(t.id))
		case timerAsked:
			done = s.endRequest(t.id)
		case timerWall:
			done = s.wakeByWall(s.queue(t.id))
		case timerDedup:
			done = s.forgetIDs(t.id)
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
		case l.deadline() <= now:
			out = append(out, timedOut{place, c.started(rank, &l)})
		case earliest == 0 || l.deadline() < earliest:
			earliest = l.deadline()
		}
		rank++
		return true
	})
	s.work.ends = out
	if !s.affords(max(1, len(out), c.held.Len()/looksForOne)) {
		return false
	}
	s.timers.move(timerLease, c.serial, &c.armedAt, earliest)
	for _, t := range out {
		s.endLease(q, t.place, ending{failed: t.started, lost: true, attempt: true, cause: CauseExpired, note: "lease expired"})
	}
	return true
}
