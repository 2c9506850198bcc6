package modeltest

import (
	"slices"

	"github.com/ferrymq/ferrymq/fsm"
)

// Why a lease ended by time, as a dead letter tells it.
const (
	noteExpired = "lease expired"
	noteLost    = "session lost"
)

// expire ends what is due on the lease clock, after the entry's commands. The
// order in which the machine does so is its own; what it put into a dead-letter
// queue is taken in the order in which it is there.
func (m *Model) expire(effects []fsm.Effect, look Look) {
	m.expiring = true
	for _, s := range m.ended {
		m.leaveAll(s)
	}
	now := m.clock.LeaseMillis
	for _, s := range m.sessionList() {
		if !s.attached() {
			m.expireDetached(s, now)
			continue
		}
		for _, c := range s.consumerList() {
			m.expireLeases(c, now)
		}
	}
	m.expiring = false
	for _, q := range m.queueList() {
		if dying := m.dying[q]; len(dying) > 0 {
			places := buried(q.dlq, effects, look)
			slices.SortStableFunc(dying, func(a, b *message) int { return rank(places, a) - rank(places, b) })
			for _, msg := range dying {
				m.entomb(q, msg)
			}
		}
	}
}

func (m *Model) expireDetached(s *session, now int64) {
	if s.graceEnd != 0 && s.graceEnd <= now {
		m.endGrace(s)
	}
	if s.idleEnd <= now {
		m.leaveAll(s)
		delete(m.sessions, s.id)
	}
}

// buried tells the places that the machine gave in a dead-letter queue: of what
// is there, and of what was handed out of it in this entry.
func buried(dlq *queue, effects []fsm.Effect, look Look) map[fsm.ID]uint64 {
	places := map[fsm.ID]uint64{}
	for _, e := range effects {
		if e.Kind == fsm.EffectDeliver && e.Incarnation == dlq.incarnation {
			places[e.ID] = e.Place
		}
	}
	for _, info := range look(dlq.name) {
		places[info.ID] = info.Place
	}
	return places
}

// rank puts what is in no dead-letter queue last: it found no room.
func rank(places map[fsm.ID]uint64, msg *message) int {
	if place, ok := places[msg.id]; ok {
		return int(place)
	}
	return 1 << 62
}

func (m *Model) leaveAll(s *session) {
	for _, c := range s.consumerList() {
		m.leave(c, fsm.CauseSessionEnded)
	}
}

// expireLeases ends a consumer's overdue leases. Which of them were started is
// judged before any of them ends.
func (m *Model) expireLeases(c *consumer, now int64) {
	started := map[*message]bool{}
	var due []*message
	for _, msg := range c.held {
		if msg.deadline <= now {
			due = append(due, msg)
			started[msg] = c.started(msg)
		}
	}
	m.endLeases(c, due, started, fsm.CauseExpired, noteExpired)
}

// endGrace ends the leases of a session that did not come back: its handlers
// died with what they had started.
func (m *Model) endGrace(s *session) {
	s.graceEnd = 0
	for _, c := range s.consumerList() {
		started := map[*message]bool{}
		for _, msg := range c.held {
			started[msg] = c.started(msg)
		}
		m.endLeases(c, slices.Clone(c.held), started, fsm.CauseSessionEnded, noteLost)
	}
}

func (m *Model) endLeases(c *consumer, due []*message, started map[*message]bool, why fsm.Cause, note string) {
	for _, msg := range due {
		if started[msg] {
			m.fail(msg, why, note)
		} else {
			m.giveBack(msg, why)
		}
	}
	if len(due) > 0 && c.closing && len(c.held) == 0 {
		m.forget(c)
	}
}
