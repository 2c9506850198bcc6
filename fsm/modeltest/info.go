package modeltest

import "github.com/ferrymq/ferrymq/fsm"

func (q *queue) info() fsm.QueueInfo {
	i := fsm.QueueInfo{
		Name: q.name, Incarnation: q.incarnation, Settings: q.settings, Paused: q.paused,
		Ready: q.count(ready), Leased: q.count(leased), Parked: q.count(parked), Bytes: q.bytes(),
		Consumers: uint32(len(q.consumers)), Published: q.published, Acked: q.acked, Dead: q.dead, Purged: q.purged,
		Scheduled: q.count(scheduled), Retrying: q.count(retrying), Expired: q.expired, Overflowed: q.overflowed,
		Missed: q.missed, Duplicates: q.duplicate, DedupIDs: uint64(len(q.window.entries)), Breaker: q.breaker.info(),
		OldestReadyMillis: q.oldestReady(),
	}
	i.Groups, i.GroupsParked = q.groups()
	if q.dlq != nil {
		i.DeadLetter = q.dlq.name
	}
	if u := q.subject; u != nil {
		i.Topic, i.Filter, i.Required, i.Session = u.topic.name, u.asked.Filter, u.required, u.asked.Session
	}
	return i
}

// oldestReady is when the ready message with the lowest place was enqueued.
func (q *queue) oldestReady() int64 {
	for _, msg := range q.messages {
		if msg.status == ready {
			return msg.entered
		}
	}
	return 0
}

func (msg *message) info() fsm.MessageInfo {
	i := fsm.MessageInfo{
		State: fsm.MessageState(msg.status), Place: msg.place, ID: msg.id, Bytes: uint32(msg.size()),
		Attempts: msg.attempts, Failures: msg.failures, EnqueuedMillis: msg.entered, ReadyMillis: msg.at,
		ExpiresMillis: msg.expires, Priority: msg.line.priority, Group: msg.line.group, Tenant: msg.line.tenant,
		Alone: msg.alone, Death: msg.death,
	}
	if msg.status == leased {
		i.Token, i.Session, i.Consumer = msg.token, msg.holder.session.id, msg.holder.number
		i.DeadlineMillis, i.Extended = msg.deadline, msg.extended
	}
	return i
}

func (x *session) info() fsm.SessionInfo {
	i := fsm.SessionInfo{
		Session: x.id, Epoch: x.epoch, Node: x.node, Judged: x.judged, AnsweredThrough: x.answered,
		LastOrdered: x.ordered, KeptResults: len(x.kept), KeptItems: x.keptItems,
	}
	for _, c := range x.consumerList() {
		i.Consumers = append(i.Consumers, fsm.ConsumerInfo{
			Consumer: c.number, Incarnation: c.queue.incarnation, CreditMessages: c.asked.CreditMessages,
			CreditBytes: c.asked.CreditBytes, Concurrency: c.asked.Concurrency, NoAck: c.asked.NoAck,
			LeaseMillis: c.asked.LeaseMillis, Held: len(c.held) + len(c.untaken), HeldBytes: c.heldBytes(),
			Assigned: c.assigned, Taken: c.taken, Closing: c.closing,
		})
	}
	return i
}

func (t *topic) info(m *Model) fsm.TopicInfo {
	return fsm.TopicInfo{
		Name: t.name, Incarnation: t.incarnation, Settings: t.settings, Subscriptions: uint32(len(m.subscriptions(t))),
		Published: t.published, Duplicates: t.duplicate, DedupIDs: uint64(len(t.window.entries)),
	}
}
