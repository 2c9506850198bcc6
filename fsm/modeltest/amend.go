package modeltest

import "github.com/ferrymq/ferrymq/fsm"

// amend does one thing to messages, each by itself, in order.
func (m *Model) amend(x *fsm.Amend) Outcome {
	q, n := m.queues[x.Queue], len(x.Items)
	switch {
	case q == nil:
		return answer(fsm.NotFound)
	case n == 0, x.Action < fsm.AmendDelete, x.Action > fsm.AmendSchedule:
		return answer(fsm.Invalid)
	case n > fsm.MaxItems:
		return answer(fsm.TooLarge)
	}
	to := m.queues[x.To]
	switch x.Action {
	case fsm.AmendRequeue, fsm.AmendSchedule:
		if q.dlq == nil || x.Action == fsm.AmendSchedule && x.AtMillis > m.clock.WallMillis+fsm.TenYearsMillis {
			return answer(fsm.Invalid)
		}
	case fsm.AmendMove:
		switch {
		case x.To == "":
		case to == nil && m.topics[x.To] == nil:
			return answer(fsm.NotFound)
		case to == nil, to.dlq == nil, to == q:
			return answer(fsm.Invalid)
		}
	}
	var o Outcome
	for _, it := range x.Items {
		o.Items = append(o.Items, m.amendOne(q, to, x, it))
	}
	return o
}

func (m *Model) amendOne(q, to *queue, x *fsm.Amend, it fsm.AmendItem) fsm.Verdict {
	msg := q.find(it.Place)
	switch {
	case msg == nil || msg.id.Index != it.Index || msg.id.Position != it.Position:
		return fsm.Verdict{Code: fsm.NotFound}
	case msg.status == leased && x.Action != fsm.AmendRequeue:
		return fsm.Verdict{Code: fsm.InUse}
	}
	switch x.Action {
	case fsm.AmendDelete:
		m.reply(msg, fsm.DeadLettered)
		q.purged++
		m.takeAway(q, msg)
	case fsm.AmendMove:
		return m.move(q, to, msg, x)
	case fsm.AmendRequeue:
		m.requeue(q, msg, x.Reset)
	case fsm.AmendSchedule:
		if msg.status == parked {
			return fsm.Verdict{Code: fsm.Invalid}
		}
		m.letGo(msg)
		msg.status, msg.at = ready, 0
		if x.AtMillis > m.clock.WallMillis {
			msg.status, msg.at = scheduled, x.AtMillis
		}
	}
	return fsm.Verdict{}
}

// letGo frees the consumer that is kept for a message.
func (m *Model) letGo(msg *message) {
	if c := msg.reserved; c != nil {
		m.unreserve(c)
	}
}

func (m *Model) takeAway(q *queue, msg *message) {
	m.letGo(msg)
	q.remove(msg)
}

// move puts a message at the end of another queue.
func (m *Model) move(q, to *queue, msg *message, x *fsm.Amend) fsm.Verdict {
	if x.To == "" {
		if msg.death == nil {
			return fsm.Verdict{Code: fsm.Invalid}
		}
		if to = m.queues[msg.death.Queue]; to == nil {
			return fsm.Verdict{Code: fsm.NotFound}
		}
		if to == q {
			return fsm.Verdict{Code: fsm.Invalid}
		}
	}
	if cause := to.fits(msg.size()); cause != fsm.CauseNone {
		return fsm.Verdict{Code: fsm.Busy, Cause: cause}
	}
	m.reply(msg, fsm.DeadLettered)
	m.takeAway(q, msg)
	q.dropped++
	moved := &message{
		id: msg.id, draft: msg.draft, entered: msg.entered, status: ready, attempts: msg.attempts, failures: msg.failures,
		history: msg.history, forgotten: msg.forgotten, alone: msg.alone,
	}
	if msg.death != nil {
		moved.history, moved.forgotten = msg.death.History, msg.death.Forgotten
	}
	if x.Reset {
		moved.attempts, moved.failures, moved.history, moved.forgotten, moved.alone = 0, 0, nil, 0, false
	}
	d := msg.draft
	d.Delay, d.DeliverAt = 0, 0
	_, moved.expires = timesOf(to.settings, d, m.clock.WallMillis)
	to.add(moved)
	return fsm.Verdict{}
}

// requeue makes a message ready at the end of its line, and ends its lease.
func (m *Model) requeue(q *queue, msg *message, reset bool) {
	if msg.status == leased {
		m.endLease(msg, ending{why: fsm.CauseRequeued})
	}
	m.letGo(msg)
	msg.status, msg.at, msg.death = ready, 0, nil
	if reset {
		msg.attempts, msg.failures, msg.history, msg.forgotten, msg.alone = 0, 0, nil, 0, false
	}
	q.places++
	msg.place = q.places
	q.sortByPlace()
}
