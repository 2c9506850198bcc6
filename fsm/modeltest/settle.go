package modeltest

import "github.com/ferrymq/ferrymq/fsm"

// settle judges deliveries one by one, in order.
func (m *Model) settle(x *fsm.Settle) Outcome {
	s, n := m.sessions[x.Session], len(x.Items)
	switch {
	case n == 0:
		return answer(fsm.Invalid)
	case n > fsm.MaxItems:
		return answer(fsm.TooLarge)
	case x.Ordered:
		if v := m.firstRefused(s, x.Items); v.Code != fsm.OK {
			return Outcome{Code: v.Code, Cause: v.Cause}
		}
	}
	items := make([]fsm.Verdict, n)
	for i, it := range x.Items {
		var held *message
		if held, items[i] = m.judgeSettle(s, it); held != nil {
			m.settleOne(held, it)
		}
	}
	return Outcome{Items: items}
}

// firstRefused finds what forbids to carry out all of the items.
func (m *Model) firstRefused(s *session, items []fsm.SettleItem) fsm.Verdict {
	ended := map[*message]bool{}
	for _, it := range items {
		held, v := m.judgeSettle(s, it)
		if v.Code != fsm.OK {
			return v
		}
		if ended[held] {
			return fsm.Verdict{Code: fsm.LeaseLost, Cause: fsm.CauseSettled}
		}
		ended[held] = it.Action != fsm.ActionExtend
	}
	return fsm.Verdict{}
}

func (m *Model) judgeSettle(s *session, it fsm.SettleItem) (*message, fsm.Verdict) {
	switch {
	case it.Action < fsm.ActionAck || it.Action > fsm.ActionExtend,
		it.Action == fsm.ActionNack && (it.Reason < fsm.ReasonMessage || it.Reason > fsm.ReasonShutdown):
		return nil, fsm.Verdict{Code: fsm.Invalid}
	case it.Action == fsm.ActionNack && it.DelayMillis > fsm.MaxRetryMillis:
		return nil, fsm.Verdict{Code: fsm.Invalid}
	}
	held, cause := m.lookup(s, it)
	if held == nil {
		return nil, fsm.Verdict{Code: fsm.LeaseLost, Cause: cause}
	}
	return held, fsm.Verdict{}
}

func (m *Model) settleOne(held *message, it fsm.SettleItem) {
	q, c := held.holder.queue, held.holder
	switch it.Action {
	case fsm.ActionAck:
		m.release(held, fsm.CauseSettled)
		q.acked++
		q.remove(held)
	case fsm.ActionNack:
		if it.Reason == fsm.ReasonMessage {
			m.fail(held, fsm.CauseSettled, it.Error)
		} else {
			m.giveBack(held, fsm.CauseSettled)
		}
	case fsm.ActionReject:
		m.kill(held, fsm.CauseSettled, fsm.DeathRejected, it.Error)
	case fsm.ActionExtend:
		held.extended = true
		held.deadline = m.clock.LeaseMillis + held.length
	}
	if c.closing && len(c.held) == 0 {
		m.forget(c)
	}
}

// lookup finds the lease that an item names, or why it is not this session's.
func (m *Model) lookup(s *session, it fsm.SettleItem) (*message, fsm.Cause) {
	q := m.incarnations[it.Incarnation]
	switch {
	case q == nil:
		return nil, fsm.CauseUnknownToken
	case q.gone:
		return nil, fsm.CauseQueueGone
	case it.Token == 0 || it.Token > m.token || it.Place == 0 || it.Place > q.places:
		return nil, fsm.CauseUnknownToken
	}
	msg := q.find(it.Place)
	switch {
	case msg == nil:
		return nil, fsm.CauseSettled
	case msg.status == leased && msg.token == it.Token && msg.holder.session != s:
		return nil, fsm.CauseNotHolder
	case msg.status == leased && msg.token == it.Token:
		return msg, fsm.CauseNone
	case msg.last == it.Token:
		return nil, msg.lastEnd
	case msg.status == leased:
		return nil, fsm.CauseNotHolder
	}
	return nil, fsm.CauseUnknownToken
}

// release ends a lease; the message still has to be put somewhere.
func (m *Model) release(msg *message, why fsm.Cause) {
	msg.holder.drop(msg)
	msg.last, msg.lastEnd = msg.token, why
	msg.holder, msg.token, msg.extended = nil, 0, false
}

// giveBack returns a message to its place and counts nothing.
func (m *Model) giveBack(msg *message, why fsm.Cause) {
	m.release(msg, why)
	msg.status = ready
}

// fail counts a failure against the message and returns it, or dead-letters it
// at the limit.
func (m *Model) fail(msg *message, why fsm.Cause, text string) {
	q := msg.holder.queue
	msg.failures++
	if limit := q.settings.FailureLimit; q.dlq != nil && limit != fsm.UnlimitedFailures && msg.failures >= uint32(limit) {
		m.kill(msg, why, fsm.DeathFailures, text)
		return
	}
	m.giveBack(msg, why)
}

// kill dead-letters a leased message: into the dead-letter queue in the same
// entry, or parked here while that is full. Out of a dead-letter queue a
// message is gone.
func (m *Model) kill(msg *message, why fsm.Cause, reason, text string) {
	q := msg.holder.queue
	m.release(msg, why)
	if q.dlq == nil {
		q.dead++
		q.remove(msg)
		return
	}
	msg.death = &fsm.Death{
		Queue: q.name, Reason: reason, Attempts: msg.attempts, Failures: msg.failures,
		Error: text[:min(len(text), fsm.MaxErrorBytes)], AtMillis: m.clock.WallMillis,
	}
	if m.expiring {
		m.dying[q] = append(m.dying[q], msg)
		msg.status = parked
		return
	}
	m.entomb(q, msg)
}

// entomb dead-letters a message, or parks it while there is no room.
func (m *Model) entomb(q *queue, msg *message) {
	if q.dlq.fits(msg.size) != fsm.CauseNone {
		msg.status = parked
		return
	}
	m.bury(q, msg)
}

// bury moves a message to the end of its queue's dead-letter queue.
func (m *Model) bury(q *queue, msg *message) {
	q.remove(msg)
	q.dead++
	q.dlq.add(&message{id: msg.id, record: msg.record, size: msg.size, entered: msg.entered, death: msg.death})
}

// unpark moves parked messages on, in order, as far as their queue has room.
func (m *Model) unpark() {
	for _, q := range m.queueList() {
		for q.dlq != nil {
			i := firstParked(q)
			if i < 0 || q.dlq.fits(q.messages[i].size) != fsm.CauseNone {
				break
			}
			m.bury(q, q.messages[i])
		}
	}
}

func firstParked(q *queue) int {
	for i, msg := range q.messages {
		if msg.status == parked {
			return i
		}
	}
	return -1
}
