package modeltest

import "github.com/ferrymq/ferrymq/fsm"

// makeRoom tells which limit a message would break, after it drove the oldest
// ones out if that is the queue's policy and makes the room: all that is
// needed, or none.
func (m *Model) makeRoom(q *queue, size uint64) (cause fsm.Cause) {
	cause = q.fits(size)
	if cause == fsm.CauseNone || q.settings.Overflow != fsm.OverflowDropOldest {
		return cause
	}
	victims, enough := q.victims(size)
	if !enough {
		return cause
	}
	for _, msg := range victims {
		q.overflowed++
		m.reply(msg, fsm.DeadLettered)
		msg.death = &fsm.Death{
			Queue: q.name, Reason: fsm.DeathOverflow, Attempts: msg.attempts, Failures: msg.failures,
			AtMillis: m.clock.WallMillis, History: msg.history, Forgotten: msg.forgotten,
		}
		m.bury(q, msg)
	}
	return fsm.CauseNone
}

// victims are the oldest messages that nobody holds, as many as make room for
// one of this size, if the dead-letter queue can take all of them.
func (q *queue) victims(size uint64) (all []*message, enough bool) {
	messages, bytes := uint64(len(q.messages)), q.bytes()
	dead, deadBytes := uint64(len(q.dlq.messages)), q.dlq.bytes()
	within := func(limit, value uint64) bool { return limit == 0 || value <= limit }
	for _, msg := range q.messages {
		if within(q.settings.MaxMessages, messages+1) && within(q.settings.MaxBytes, bytes+size) {
			break
		}
		if msg.status == leased || msg.status == parked || msg.reserved != nil {
			continue
		}
		messages, bytes = messages-1, bytes-msg.size()
		dead, deadBytes = dead+1, deadBytes+msg.size()
		all = append(all, msg)
	}
	return all, within(q.settings.MaxMessages, messages+1) && within(q.settings.MaxBytes, bytes+size) &&
		within(q.dlq.settings.MaxMessages, dead) && within(q.dlq.settings.MaxBytes, deadBytes)
}
