package fsm

// target is where a message is published to: one of them.
type target struct {
	queue *queue
	topic *topic
}

func (t *target) name() string {
	if t.queue != nil {
		return t.queue.name
	}
	return t.topic.name
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
		r = s.storeEach(entry)
	}
	return s.keep(x, &c.OpHeader, items, s.at(r, items))
}

// prepare finds the target of a publish and examines its records.
func (s *State) prepare(c *Publish) Result {
	s.clearIntake()
	if r := s.aim(c.Queue); r.Code != OK {
		return r
	}
	switch {
	case c.Count == 0:
		return Result{Code: Invalid, Detail: "no messages"}
	case c.Count > MaxItems:
		return Result{Code: TooLarge, Detail: "more than 1000 messages"}
	}
	sum, r := s.examine(c.Count, c.Records, s.work.recordsAt)
	if r.Code != OK {
		return r
	}
	if !c.Ordered {
		s.putOff()
	}
	return s.measure(sum)
}

// putOff refuses the messages from the first one on that the entry cannot put into
// all its subscriptions any more. They were sent together, and not to be stored
// together: what the entry affords is stored, and the rest comes to another one.
func (s *State) putOff() {
	w := &s.work
	fanOut := 0
	for i := range w.incoming {
		in := &w.incoming[i]
		fanOut += int(in.until - in.from)
		if v := &w.verdicts[i]; v.Code == OK && w.targets[in.to].topic != nil && !in.matched {
			r := enough()
			*v = Verdict{Code: r.Code, Cause: r.Cause, RetryAfterMillis: r.RetryAfterMillis}
		}
	}
	w.fanOut, w.comparing.gaveUp = fanOut, false
}

// clearIntake begins a publish or commit.
func (s *State) clearIntake() {
	w := &s.work
	w.incoming, w.verdicts, w.targets, w.matched = w.incoming[:0], w.verdicts[:0], w.targets[:0], w.matched[:0]
	w.fanOut, w.fannedOut, w.refusedBy, w.refusers, w.missed = 0, 0, nil, false, nil
	w.comparing = comparing{entry: w.comparing.entry}
}

// measure refuses what is too large as a whole, or for what is left of the entry.
func (s *State) measure(sum int) Result {
	if sum > MaxOperationBytes {
		return Result{Code: TooLarge, Detail: "more than 1 MiB of messages"}
	}
	if s.work.fanOut > MaxFanOut {
		return Result{Code: TooLarge, Detail: "more than 100000 messages in all subscriptions"}
	}
	if s.work.comparing.gaveUp {
		return s.tooManyWords()
	}
	if !s.affordsToil(toilFanOut, s.work.fanOut) {
		return enough()
	}
	return Result{}
}

// aim adds a target to work.targets.
func (s *State) aim(name string) Result {
	if q := s.queueNamed(name); q != nil {
		if q.deadLetter == 0 {
			return Result{Code: Invalid, Detail: "a dead-letter queue is filled by the system only"}
		}
		s.work.targets = append(s.work.targets, target{queue: q})
		return Result{}
	}
	if t := s.topicNamed(name); t != nil {
		s.work.targets = append(s.work.targets, target{topic: t})
		return Result{}
	}
	return Result{Code: NotFound}
}

// storeEach judges the examined messages one after the other, and stores
// those that can be.
func (s *State) storeEach(entry []byte) Result {
	w := &s.work
	for i := range w.verdicts {
		if v := &w.verdicts[i]; v.Code == OK {
			*v = s.storeOne(i, entry)
		}
	}
	r := verdict(w.verdicts, s.detail(entry))
	r.Value = w.fannedOut
	return r
}

// storeAll stores all of the examined messages or none of them.
func (s *State) storeAll(entry []byte) Result {
	if r := s.refusal(s.newPlan(nil), entry); r.Code != OK {
		return r
	}
	return s.storeEach(entry)
}

// detail says what a refused message was refused for, if there is more to say.
func (s *State) detail(entry []byte) string {
	q := s.work.refusedBy
	if q == nil {
		return s.faultOf(entry)
	}
	text := q.called() + " " + q.inWords(s.work.refusedAs)
	if s.work.refusers { // one text is for all messages, whichever refused them
		text += ", and others refuse too"
	}
	return text
}

// storeOne stores one message where it belongs, or tells why not.
func (s *State) storeOne(i int, entry []byte) Verdict {
	in := &s.work.incoming[i]
	to := &s.work.targets[in.to]
	a := s.arrivalOf(i, entry)
	x, identified := s.identify(in, &a, entry)
	if identified {
		if v := to.judgeID(nil, &x); v.Code != OK {
			if v.Code == Duplicate {
				*to.intake().duplicates++
				s.tellRepeat(to, v)
			}
			return v
		}
	}
	var v Verdict
	if to.queue != nil {
		v = s.storeIn(to.queue, in, &a, entry)
	} else {
		v = s.storeInAll(to.topic, in, &a, entry)
	}
	if identified && v.Code == OK {
		s.remember(to, &x)
	}
	return v
}

// arrivalOf makes an examined message ready to arrive. Its attributes are
// good until the next one's.
func (s *State) arrivalOf(i int, entry []byte) arrival {
	w := &s.work
	in := &w.incoming[i]
	a := arrival{index: s.index, wall: s.clock.WallMillis, position: w.position + uint32(i), size: in.size,
		flags: in.flags, deadline: in.deadline}
	if in.present&^carried != 0 {
		if err := w.info.Peek(entry[in.offset : in.offset+in.length]); err != nil {
			s.fail(err) // examine read it
		}
		a.info = &w.info
	}
	return a
}

func (s *State) storeIn(q *queue, in *incoming, a *arrival, entry []byte) Verdict {
	e := &s.work.efforts[forRefusing]
	v, victims := s.admits(q, a, e, 0)
	if v.Code != OK {
		switch v.Code {
		case Dropped:
			q.overflowed++
			s.tellDropped(q, a)
		case TooLarge:
			s.refused(q, v)
		}
		s.crowdFor(v, q, forRefusing, a)
		return v
	}
	s.makeRoom(q, victims, e)
	if err := s.bodies.Add(a.index, a.position, entry, in.offset, in.length); err != nil {
		s.fail(err)
		return Verdict{}
	}
	s.arrive(q, a)
	return Verdict{}
}

// storeInAll stores a message in all subscriptions that it matches, or tells
// which one refuses it. A subscription that may not refuse and cannot take it
// misses it.
func (s *State) storeInAll(t *topic, in *incoming, a *arrival, entry []byte) Verdict {
	w := &s.work
	all := w.matched[in.from:in.until]
	if v := s.refusedByAny(all, a); v.Code != OK {
		return v
	}
	stored := false
	for _, incarnation := range all {
		q := s.queue(incarnation)
		why := q.purpose()
		e := &w.efforts[why]
		v, victims := s.admits(q, a, e, 0)
		if v.Code == OK {
			v = w.plannedToMiss(in, incarnation)
		}
		if v.Code != OK {
			s.miss(q, a, v)
			s.crowdFor(v, q, why, a)
			continue
		}
		s.makeRoom(q, victims, e)
		var err error
		if stored {
			err = s.bodies.Retain(a.index, a.position)
		} else {
			err = s.bodies.Add(a.index, a.position, entry, in.offset, in.length)
			stored = true
		}
		if err != nil {
			s.fail(err)
			return Verdict{}
		}
		s.arrive(q, a)
		w.fannedOut++
	}
	t.published++
	return Verdict{}
}

// refusedByAny tells why a message is refused by one of the subscriptions that
// may: they take it, or nobody does. What each has to drop for it is kept when
// the next one is judged.
func (s *State) refusedByAny(all []uint64, a *arrival) Verdict {
	kept := 0
	for _, incarnation := range all {
		q := s.queue(incarnation)
		if !q.subscription.required {
			continue
		}
		v, victims := s.admits(q, a, &s.work.efforts[forRefusing], kept)
		if v.Code != OK {
			s.refused(q, v)
			s.crowdFor(v, q, forRefusing, a)
			return v
		}
		kept += victims - 1
	}
	return Verdict{}
}

// purpose of room in a subscription.
func (q *queue) purpose() purpose {
	if q.subscription.required {
		return forRefusing
	}
	return forMissing
}

// crowdFor notes a queue that did not take a message because it is crowded.
func (s *State) crowdFor(v Verdict, q *queue, why purpose, a *arrival) {
	if v.Cause == CauseRoom {
		s.crowd(q, why, amount{1, uint64(a.size)}, amount{})
	}
}

// refused notes the first queue that refused a message for which there is more to
// say, and why, and whether it was the only one.
func (s *State) refused(q *queue, why Verdict) {
	switch s.work.refusedBy {
	case nil:
		s.work.refusedBy, s.work.refusedAs = q, why
	case q:
	default:
		s.work.refusers = true
	}
}
