package fsm

// target is where a message is published to.
type target struct {
	queue *queue
}

// publish stores messages. They are judged one by one; with a predecessor,
// all are taken or none.
func (s *State) publish(c *Publish, entry []byte) Result {
	items := int(min(c.Count, MaxItems))
	x, r := s.admit(&c.OpHeader, items)
	if x == nil {
		return r
	}
	if !x.inOrder(&c.OpHeader) {
		return s.keep(x, &c.OpHeader, items, s.at(Result{Code: OutOfOrder}, 1))
	}
	if r = s.prepare(c); r.Code != OK {
		return s.keep(x, &c.OpHeader, items, s.at(r, 1))
	}
	if c.Ordered {
		r = s.storeAll(entry)
	} else {
		s.storeEach(entry)
		r = verdict(s.work.verdicts, s.faultOf(entry))
	}
	return s.keep(x, &c.OpHeader, items, s.at(r, items))
}

// prepare finds the target of a publish and examines its records.
func (s *State) prepare(c *Publish) Result {
	w := &s.work
	w.incoming, w.verdicts, w.targets = w.incoming[:0], w.verdicts[:0], w.targets[:0]
	if r := s.aim(c.Queue); r.Code != OK {
		return r
	}
	switch {
	case c.Count == 0:
		return Result{Code: Invalid, Detail: "no messages"}
	case c.Count > MaxItems:
		return Result{Code: TooLarge, Detail: "more than 1000 messages"}
	}
	sum, r := s.examine(c.Count, c.Records, w.recordsAt)
	if r.Code == OK && sum > MaxOperationBytes {
		return Result{Code: TooLarge, Detail: "more than 1 MiB of messages"}
	}
	return r
}

// aim adds a target to work.targets.
func (s *State) aim(name string) Result {
	q := s.queueNamed(name)
	if q == nil {
		return Result{Code: NotFound}
	}
	if q.deadLetter == 0 {
		return Result{Code: Invalid, Detail: "a dead-letter queue is filled by the system only"}
	}
	s.work.targets = append(s.work.targets, target{queue: q})
	return Result{}
}

// storeEach stores those of the examined messages that can be, and judges
// all of them.
func (s *State) storeEach(entry []byte) {
	w := &s.work
	for i := range w.verdicts {
		if v := &w.verdicts[i]; v.Code == OK {
			*v = s.storeOne(i, entry)
		}
	}
}

// storeOne stores one message where it belongs, or tells why not.
func (s *State) storeOne(i int, entry []byte) Verdict {
	w := &s.work
	in := &w.incoming[i]
	q := w.targets[in.to].queue
	a := arrival{index: s.index, wall: s.clock.WallMillis, position: w.position + uint32(i), size: in.size}
	if in.present&^carried != 0 {
		if err := w.info.Peek(entry[in.offset : in.offset+in.length]); err != nil {
			s.fail(err) // examine read it
		}
		a.info = &w.info
	}
	if v := s.takes(q, in.size); v.Code != OK {
		if v.Code == Dropped {
			q.overflowed++
		}
		return v
	}
	s.makeRoom(q, in.size)
	if err := s.bodies.Add(s.index, a.position, entry, in.offset, in.length); err != nil {
		s.fail(err)
		return Verdict{}
	}
	s.arrive(q, &a)
	return Verdict{}
}

// storeAll stores all of the examined messages or none of them.
func (s *State) storeAll(entry []byte) Result {
	w := &s.work
	sum := uint64(0)
	for i := range w.verdicts {
		if c := w.verdicts[i].Code; c != OK {
			return Result{Code: c, Detail: s.faultOf(entry)}
		}
		sum += uint64(w.incoming[i].size)
	}
	q := w.targets[0].queue
	if full := q.fitsAll(uint64(len(w.incoming)), sum); full != CauseNone {
		if q.settings.Overflow == OverflowReject {
			return Result{Code: Busy, Cause: full, RetryAfterMillis: RetryFullMillis}
		}
		if v := s.planAll(newPlan()); v.Code != OK {
			return Result{Code: v.Code, Cause: v.Cause, RetryAfterMillis: v.RetryAfterMillis}
		}
	}
	s.storeEach(entry)
	return verdict(w.verdicts, "")
}
