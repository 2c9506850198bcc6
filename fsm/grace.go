package fsm

// detach acts only on the attachment it names.
func (s *State) detach(c *Detach) Result {
	x, r := s.sessionAt(c.Session, c.Epoch)
	if x == nil {
		return r
	}
	if !x.attached || x.node != c.Node {
		return Result{Code: Fenced, Value: x.epoch}
	}
	grace := int64(GraceConnectionMillis)
	if c.Cause == DetachNodeLost {
		grace = GraceNodeMillis
	}
	s.suspend(x, grace)
	return Result{}
}

// detachNode detaches the sessions attached through a node, or all.
func (s *State) detachNode(node string, all bool) Result {
	var lost []uint64
	s.sessions.Scan(func(serial uint64, x *session) bool {
		if x.attached && (all || x.node == node) {
			lost = append(lost, serial)
		}
		return true
	})
	for _, serial := range lost {
		s.suspend(s.session(serial), GraceNodeMillis)
	}
	return Result{Value: uint64(len(lost))}
}

// suspend detaches a session: it is handed nothing and its leases do not run
// out, but it loses them when its grace ends, and goes when it stays idle.
func (s *State) suspend(x *session, grace int64) {
	s.silence(x)
	now := s.clock.LeaseMillis
	if s.holds(x) > 0 {
		s.timers.move(timerGrace, x.serial, &x.graceAt, now+grace)
	}
	s.timers.move(timerIdle, x.serial, &x.idleAt, now+max(grace, int64(x.idleMillis)))
}

// endGrace takes the leases of a session whose grace is over: what was
// started is blamed, the rest returns uncounted. It goes consumer by consumer
// and returns false when this entry has done enough.
func (s *State) endGrace(x *session) bool {
	members := x.consumers
	for _, m := range members {
		c := s.consumer(m.serial)
		if c.held.Len() == 0 {
			continue
		}
		if !s.affords(c.held.Len()) {
			return false
		}
		s.endAll(c, ending{attempt: true, crashed: true, lost: true, cause: CauseSessionEnded, note: "session lost"},
			func(e *ending, started bool) { e.failed = started })
	}
	s.work.due++
	s.timers.move(timerGrace, x.serial, &x.graceAt, 0)
	return true
}

// endSession takes a session apart: expired, or given up. It returns false
// when this entry has done enough.
func (s *State) endSession(x *session) bool {
	if !x.ending {
		s.retire(x)
	}
	members := x.consumers
	for _, m := range members {
		c := s.consumer(m.serial)
		if !s.affords(1 + c.held.Len()) {
			return false
		}
		s.endAll(c, ending{cause: CauseSessionEnded, lost: true}, nil)
		s.remove(x, c)
	}
	if !s.endBound(x) {
		return false
	}
	s.work.due++
	s.timers.move(timerIdle, x.serial, &x.idleAt, 0)
	s.sessions.Delete(x.serial)
	return true
}

// endAll ends every lease of a consumer, each as judged by whether it was started.
func (s *State) endAll(c *consumer, e ending, judge func(e *ending, started bool)) {
	q := s.queue(c.queue)
	all := s.work.ends[:0]
	rank := uint32(0)
	c.held.Scan(func(_, place uint64) bool {
		l, _ := q.leased.Get(place)
		all = append(all, timedOut{place, c.started(rank, &l)})
		rank++
		return true
	})
	s.work.ends = all
	for _, t := range all {
		if judge != nil {
			judge(&e, t.started)
		}
		s.endLease(q, t.place, e)
	}
}
