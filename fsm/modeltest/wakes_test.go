package modeltest

import (
	"fmt"

	"github.com/ferrymq/ferrymq/fsm"
)

// wakes tells whether the state asks for an entry in time for what the model
// waits for, and does not ask for one while it waits for nothing.
func wakes(m *Model, s *fsm.State) error {
	lease, needs := m.waitsForLease()
	at, ok := s.NextDeadline()
	if wall := m.waitsForWall(); !inTime(at.WallMillis, wall, m.clock.WallMillis) {
		return fmt.Errorf("the next deadline is %+v, want %d on the wall clock", at, wall)
	}
	if !inTime(at.LeaseMillis, lease, m.clock.LeaseMillis) {
		return fmt.Errorf("the next deadline is %+v, want %d on the lease clock", at, lease)
	}
	if !ok && at != (fsm.Deadline{}) {
		return fmt.Errorf("no deadline, but %+v", at)
	}
	if needs && !s.NeedsClock() {
		return fmt.Errorf("a lease or grace waits, and the clock is not needed")
	}
	return nil
}

// inTime: no later than what is waited for, but rounded up.
func inTime(at, due, now int64) bool {
	return due == 0 || at != 0 && at <= max(now, (due+9)/10*10)
}

// earlier of two times, of which 0 is none.
func earlier(a, b int64) int64 {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// waitsForLease is the first thing on the lease clock, and whether there is
// any for which the clock must be kept going.
func (m *Model) waitsForLease() (due int64, needs bool) {
	if len(m.junk) > 0 {
		due = max(1, m.clock.LeaseMillis)
	}
	for _, x := range m.sessions {
		if !x.attached() {
			due = earlier(due, x.idleEnd)
		}
		for _, c := range x.consumers {
			for _, msg := range c.held {
				needs = true
				if x.attached() {
					due = earlier(due, msg.deadline)
				} else {
					due = earlier(due, x.graceEnd)
				}
			}
		}
	}
	await := func(at int64) {
		if at != 0 {
			due, needs = earlier(due, at), true
		}
	}
	for _, q := range m.queues {
		for _, msg := range q.messages {
			if msg.status == retrying {
				await(msg.at)
			}
		}
		for _, e := range q.window.entries {
			await(e.until)
		}
		if q.breaker != nil {
			await(q.breaker.until)
		}
		await(q.nextToken(m.clock.LeaseMillis))
	}
	for _, t := range m.topics {
		for _, e := range t.window.entries {
			await(e.until)
		}
	}
	return due, needs
}

// nextToken is when a message can be handed out that only the rate holds back;
// 0: there is none.
func (q *queue) nextToken(now int64) int64 {
	if q.paused || q.hasToken() || !q.breaker.lets() {
		return 0
	}
	if msg := q.choose(); msg == nil || msg.alone || q.pick(msg) == nil {
		return 0
	}
	for has := q.bucket.tokens; has < tokenWhole; has += int64(q.settings.DispatchRate) {
		now++
	}
	return now
}

// waitsForWall is the first thing on the wall clock.
func (m *Model) waitsForWall() (due int64) {
	for _, q := range m.queues {
		for _, msg := range q.messages {
			switch msg.status {
			case scheduled:
				due = earlier(due, msg.at)
			case ready, retrying:
				due = earlier(due, msg.expires)
			}
		}
	}
	for _, s := range m.sessions {
		for _, r := range s.requests {
			due = earlier(due, r.deadline)
		}
	}
	return due
}
