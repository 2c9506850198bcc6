package fsm

// create makes a queue and its dead-letter queue.
func (s *State) create(c *QueueCreate) Result {
	if fault := nameFault("queue", c.Queue); fault != "" {
		return Result{Code: Invalid, Detail: fault}
	}
	settings, r := c.Settings.filled()
	if r.Code != OK {
		return r
	}
	if q := s.queueNamed(c.Queue); q != nil {
		switch {
		case q.subscription != nil:
			return Result{Code: Conflict, Detail: "the queue is a subscription"}
		case q.settings != settings:
			return Result{Code: Conflict, Detail: "the queue exists with other settings"}
		}
		return Result{Value: q.incarnation}
	}
	if s.isTopic(c.Queue) {
		return Result{Code: Conflict, Detail: "the name is a topic's"}
	}
	if s.queues.Len()+2 > MaxQueues {
		return Result{Code: Busy, Cause: CauseSessions, RetryAfterMillis: RetryCountMillis}
	}
	return Result{Value: s.newPair(c.Queue, settings).incarnation}
}

// newPair makes a queue and its dead-letter queue.
func (s *State) newPair(name string, settings Settings) *queue {
	q := s.newQueue(name, settings)
	d := s.newQueue(name+DeadLetterSuffix, settings.deadLetter())
	q.deadLetter, d.source = d.incarnation, q.incarnation
	return q
}

func (s *State) newQueue(name string, settings Settings) *queue {
	s.incarnations++
	q := &queue{gen: s.gen, shelf: &noMessages, name: name, incarnation: s.incarnations, settings: settings}
	s.queues.Set(q.incarnation, q)
	s.names.Set(name, q.incarnation)
	s.rebrake(q, &Settings{})
	return q
}

// owned returns a queue that a user may change or delete.
func (s *State) owned(name string) (*queue, Result) {
	q := s.queueNamed(name)
	if q == nil {
		return nil, Result{Code: NotFound}
	}
	if q.deadLetter == 0 {
		return nil, Result{Code: Invalid, Detail: "a dead-letter queue is made, changed and deleted with its queue"}
	}
	return q, Result{}
}

// update replaces the settings. Lower limits refuse new messages; they drop none.
func (s *State) update(c *QueueUpdate) Result {
	q, r := s.owned(c.Queue)
	if q == nil {
		return r
	}
	settings, r := c.Settings.filled()
	if r.Code != OK {
		return r
	}
	if q.subscription != nil {
		if settings, r = q.subscription.fitted(settings); r.Code != OK {
			return r
		}
	}
	if settings.Fair != q.settings.Fair && (q.messages() > 0 || q.parksGroups()) {
		return Result{Code: Conflict, Detail: "fairness can be changed only while the queue is empty and no message group is parked"}
	}
	if !s.mayReorder(q, &settings) {
		return enough()
	}
	was := q.settings
	q.settings = settings
	s.reorder(q, &was)
	s.rebrake(q, &was)
	if settings.Exclusive && !was.Exclusive || was.GroupFailure == GroupSkip && settings.GroupFailure != GroupSkip {
		s.letGoAll(q) // who is kept may not be the active one, or what for may be behind a retry
	}
	if settings.Exclusive != was.Exclusive || settings.StarvationGuard != was.StarvationGuard { // another may be next
		s.touch(q)
	}
	d := s.queue(q.deadLetter)
	d.settings = settings.deadLetter()
	s.roomIn(d)
	return Result{Value: q.incarnation}
}

// remove deletes a queue and its dead-letter queue with all messages.
func (s *State) deleteQueue(c *QueueDelete) Result {
	q, r := s.owned(c.Queue)
	if q == nil {
		return r
	}
	d := s.queue(q.deadLetter)
	n := q.messages() + d.messages()
	if c.IfEmpty && n > 0 {
		return Result{Code: InUse, Value: n, Detail: "the queue or its dead-letter queue has messages"}
	}
	if used := q.members.Len() + d.members.Len(); c.IfUnused && used > 0 {
		return Result{Code: InUse, Value: uint64(used), Detail: "the queue or its dead-letter queue has consumers"}
	}
	s.dissolvePair(q, goneWithQueue)
	return Result{Value: n}
}

// dissolvePair takes a queue and its dead-letter queue away.
func (s *State) dissolvePair(q *queue, why gone) {
	if q.subscription != nil {
		s.unbind(q)
	}
	d := s.queue(q.deadLetter)
	s.dissolve(q, why)
	s.dissolve(d, why)
}

// dissolve takes a queue away at once; its messages are reclaimed later.
func (s *State) dissolve(q *queue, why gone) {
	var serials []uint64
	q.members.Scan(func(serial uint64, _ struct{}) bool {
		serials = append(serials, serial)
		return true
	})
	for _, serial := range serials {
		c := s.consumer(serial)
		x := s.session(c.session)
		if x.attached && !c.closing {
			s.closed(x, c.number, NotFound)
		}
		s.remove(x, c)
	}
	q.timed = nil
	s.arm(q)
	if q.window != nil {
		s.timers.move(timerDedup, q.incarnation, &q.window.armedAt, 0)
	}
	s.unbrake(q)
	s.discard(q, *q.shelf, why)
	s.movable.Delete(q.incarnation)
	s.doomed.Delete(q.incarnation)
	s.names.Delete(q.name)
	s.queues.Delete(q.incarnation)
}

// purge removes every message that is not leased, and lets go of parked groups
// that then have none.
func (s *State) purge(c *QueuePurge) Result {
	q := s.queueNamed(c.Queue)
	if q == nil {
		return Result{Code: NotFound}
	}
	n := q.messages() - uint64(q.leased.Len())
	switch {
	case n == 0 && !q.parksGroups():
		return Result{} // nothing is to be made anew
	case !s.affordsToil(toilLines, q.linesKept()):
		return enough()
	}
	s.releaseAll(q)
	q.timed = nil
	s.arm(q)
	away := *q.shelf
	kept := q.leased
	away.leased, q.shelf = shelf{}.leased, &noMessages
	if kept.Len() > 0 {
		q.shelf = &shelf{leased: kept}
	}
	s.keepLines(q, away.lines)
	s.discard(q, away, gonePurged)
	q.bytes = q.leasedBytes
	q.purged += n
	s.roomIn(q)
	return Result{Value: n}
}

// pause stops or resumes hand-outs; publishes and settles go on.
func (s *State) pause(c *QueuePause) Result {
	q := s.queueNamed(c.Queue)
	if q == nil {
		return Result{Code: NotFound}
	}
	q.paused = c.Paused
	s.touch(q)
	return Result{}
}
