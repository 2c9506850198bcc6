package modeltest

import (
	"slices"

	"github.com/ferrymq/ferrymq/fsm"
)

// Why a lease ended by time, as a message's history tells it.
const (
	noteExpired = "lease expired"
	noteLost    = "session lost"
)

// overdue does what is due on the lease clock, in the order of the deadlines:
// leases, graces, sessions, waits for a retry and breakers. The leases of one consumer
// end together, and so do the waits of one queue.
func (m *Model) overdue() {
	for _, s := range m.ended {
		m.leaveAll(s)
		m.gone(s)
	}
	for {
		first := m.earliest()
		if first == nil {
			return
		}
		first()
	}
}

// earliest finds the first deadline that is over, and what is to be done then:
// by the deadline, then leases before graces before sessions before retries
// before breakers, older ones first.
func (m *Model) earliest() (do func()) {
	best := [3]int64{m.clock.LeaseMillis, 9}
	consider := func(deadline int64, kind, serial int64, f func()) {
		at := [3]int64{deadline, kind, serial}
		if deadline != 0 && slices.Compare(at[:], best[:]) < 0 {
			best, do = at, f
		}
	}
	for _, s := range m.sessionList() {
		if !s.attached() {
			consider(s.graceEnd, 2, int64(s.serial), func() { m.endGrace(s) })
			consider(s.idleEnd, 3, int64(s.serial), func() {
				m.leaveAll(s)
				m.gone(s)
			})
			continue
		}
		for _, c := range s.consumerList() {
			consider(c.armed, 1, int64(c.serial), func() { m.expireLeases(c) })
		}
	}
	for _, q := range m.queueList() {
		consider(q.firstRetry(), 4, int64(q.incarnation), func() { m.retryNow(q) })
		if b := q.breaker; b != nil {
			consider(b.until, 6, int64(q.incarnation), func() { b.begin(1) })
		}
	}
	return do
}

func (m *Model) leaveAll(s *session) {
	for _, c := range s.consumerList() {
		m.leave(c, fsm.CauseSessionEnded)
	}
}

// expireLeases ends a consumer's overdue leases. Which of them were started is
// judged before any of them ends.
func (m *Model) expireLeases(c *consumer) {
	c.armed = 0
	started := map[*message]bool{}
	var due []*message
	for _, msg := range c.held {
		if msg.deadline <= m.clock.LeaseMillis {
			due = append(due, msg)
			started[msg] = c.started(msg)
		} else {
			c.arm(msg.deadline)
		}
	}
	for _, msg := range due {
		e := ending{why: fsm.CauseExpired, lost: true, tried: true, note: noteExpired}
		if started[msg] {
			e.failed, e.again, e.outcome = true, true, failed
		}
		m.endLease(msg, e)
	}
}

// arm makes sure that the leases are looked at no later than then.
func (c *consumer) arm(deadline int64) {
	if c.armed == 0 || deadline < c.armed {
		c.armed = deadline
	}
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
		for _, msg := range slices.Clone(c.held) {
			e := ending{why: fsm.CauseSessionEnded, lost: true, tried: true, note: noteLost}
			if started[msg] {
				e.failed, e.again, e.crash = true, true, true
			}
			m.endLease(msg, e)
		}
	}
}
