package modeltest

import "github.com/ferrymq/ferrymq/fsm"

// amend does one thing to messages, each by itself, in order.
func (m *Model) amend(x *fsm.Amend) Outcome {
	q, n := m.queues[x.Queue], len(x.Items)
	to := m.queues[x.To]
	switch {
	case n == 0, x.Action < fsm.AmendDelete, x.Action > fsm.AmendSchedule:
		return answer(fsm.Invalid)
	case n > fsm.MaxItems:
		return answer(fsm.TooLarge)
	case x.Ordered && n > 1, x.Action == fsm.AmendSchedule && x.AtMillis > m.clock.WallMillis+fsm.TenYearsMillis:
		return answer(fsm.Invalid)
	case q == nil:
		return answer(fsm.NotFound)
	case q.dlq == nil && x.Action > fsm.AmendMove, x.Action == fsm.AmendMove && x.To == x.Queue:
		return answer(fsm.Invalid)
	case x.Action == fsm.AmendMove && x.To != "" && to == nil && m.topics[x.To] == nil:
		return answer(fsm.NotFound)
	case x.Action == fsm.AmendMove && x.To != "" && (to == nil || to.dlq == nil):
		return answer(fsm.Invalid)
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
		if msg.status != leased {
			m.letGo(msg)
			if msg.status == scheduled || msg.status == parked {
				msg.expires = msg.livesFrom(q, m.clock.WallMillis)
			}
			m.requeue(q, msg, x.Reset)
			break
		}
		q.recalled = append(q.recalled, msg.token)
		m.endLease(msg, ending{why: fsm.CauseRequeued, to: behind, reset: x.Reset})
	case fsm.AmendSchedule:
		late := msg.request && x.AtMillis > m.clock.WallMillis && x.AtMillis >= int64(msg.draft.Deadline)
		if msg.status == parked || late {
			return fsm.Verdict{Code: fsm.Invalid}
		}
		m.letGo(msg)
		if at := max(x.AtMillis, m.clock.WallMillis); at > m.clock.WallMillis || msg.status == scheduled {
			msg.expires = msg.livesFrom(q, at)
		}
		msg.status, msg.at = ready, 0
		if x.AtMillis > m.clock.WallMillis {
			msg.status, msg.at = scheduled, x.AtMillis
		}
		q.survey()
	}
	return fsm.Verdict{}
}

// livesFrom is when the message expires in a queue if it is ready at a time.
func (msg *message) livesFrom(q *queue, at int64) int64 {
	d := msg.draft
	d.Delay, d.DeliverAt = 0, 0
	_, expires := timesOf(q.settings, d, at)
	if deadline := int64(d.Deadline); msg.request && (expires == 0 || deadline < expires) {
		expires = deadline
	}
	return expires
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
	if to.tooSmall(msg.size()) {
		return fsm.Verdict{Code: fsm.TooLarge}
	}
	if cause := to.fits(msg.size()); cause != fsm.CauseNone {
		return fsm.Verdict{Code: fsm.Busy, Cause: cause}
	}
	if cause := m.lineCause(to, msg.draft); cause != fsm.CauseNone {
		return fsm.Verdict{Code: fsm.Busy, Cause: cause}
	}
	m.reply(msg, fsm.DeadLettered)
	m.takeAway(q, msg)
	q.dropped++
	moved := *msg
	moved.undead(q)
	if x.Reset {
		moved.reset()
	}
	moved.status, moved.at, moved.last, moved.request = ready, 0, 0, false
	d := msg.draft
	d.Delay, d.DeliverAt = 0, 0
	_, moved.expires = timesOf(to.settings, d, m.clock.WallMillis)
	to.add(&moved)
	return fsm.Verdict{}
}

// undead takes the death away of a message that was in q, and gives it what it
// was before, with what was tried since.
func (msg *message) undead(q *queue) {
	d := msg.death
	if d == nil {
		return
	}
	since, forgotten := msg.history, msg.forgotten
	if q.dlq == nil { // a dead letter counts anew, a parked message goes on
		msg.attempts, msg.failures = msg.attempts+d.Attempts, msg.failures+d.Failures
	}
	msg.death, msg.history, msg.forgotten = nil, d.History, d.Forgotten+forgotten
	for _, a := range since {
		msg.record(a)
	}
}

// reset forgets how a message fared.
func (msg *message) reset() {
	msg.attempts, msg.failures, msg.history, msg.forgotten, msg.alone = 0, 0, nil, 0, false
}

// requeue makes a message that nobody holds ready behind everything else.
func (m *Model) requeue(q *queue, msg *message, reset bool) {
	if msg.undead(q); reset {
		msg.reset()
	}
	msg.status, msg.at = nowhere, 0
	q.survey() // its tenant's turn is over if it has nothing else
	msg.status = ready
	q.places++
	msg.place = q.places
	q.sortByPlace()
	q.survey()
}
