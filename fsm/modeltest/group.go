package modeltest

import "github.com/ferrymq/ferrymq/fsm"

// blocked: a message of the group waits for its next attempt, or for the
// consumer that is kept for it, and the rest waits with it.
func (q *queue) blocked(l *line) bool {
	for _, msg := range q.messagesOf(l) {
		if msg.status == retrying && q.settings.GroupFailure != fsm.GroupSkip || msg.reserved != nil {
			return true
		}
	}
	return false
}

// holder is the consumer that has the group's batch; nil: nobody.
func (q *queue) holder(l *line) *consumer {
	for _, msg := range q.messagesOf(l) {
		if msg.status == leased {
			return msg.holder
		}
	}
	return nil
}

// headFailed: a message of the group is dead by its own fault.
func (q *queue) headFailed(l *line) {
	if l.group == "" {
		return
	}
	switch q.settings.GroupFailure {
	case fsm.GroupPark:
		l.parked = true
	case fsm.GroupDead:
		l.condemned = true
	}
	q.survey()
}

// condemn moves the rest of groups to the dead-letter queue after their head.
func (m *Model) condemn() {
	for _, q := range m.queueList() {
		for _, l := range q.lines {
			if !l.condemned {
				continue
			}
			for _, msg := range q.messagesOf(l) {
				if msg.status == leased || msg.status == parked {
					continue
				}
				m.die(q, msg, fsm.DeathGroup, "")
			}
		}
	}
}

func (m *Model) resume(x *fsm.GroupResume) Outcome {
	q := m.queues[x.Queue]
	if q == nil {
		return answer(fsm.NotFound)
	}
	for _, l := range q.lines {
		if l.group != "" && l.group == x.Group {
			l.parked = false
			q.prune()
			q.survey()
			return Outcome{Code: fsm.OK, Value: uint64(len(q.messagesOf(l)))}
		}
	}
	return answer(fsm.NotFound)
}
