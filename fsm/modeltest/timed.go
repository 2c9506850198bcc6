package modeltest

import (
	"slices"

	"github.com/ferrymq/ferrymq/fsm"
)

// When a message is ready and when it expires, by its attributes, the queue's
// settings and the wall clock. 0 is now, and never.
func timesOf(s fsm.Settings, d Draft, wall int64) (at, expires int64) {
	switch {
	case d.Delay != 0:
		at = wall + int64(d.Delay)
	case d.DeliverAt != 0:
		at = int64(d.DeliverAt)
	}
	if at <= wall {
		at = 0
	}
	ttl := int64(s.TTLMillis)
	if d.TTL != 0 && (ttl == 0 || int64(d.TTL) < ttl) {
		ttl = int64(d.TTL)
	}
	if ttl != 0 {
		expires = max(at, wall) + ttl
	}
	return at, expires
}

// timesGood tells whether the attributes that have to do with time may be so.
func timesGood(d Draft, wall int64) bool {
	return (d.Delay == 0 || d.DeliverAt == 0) && d.TTL <= fsm.TenYearsMillis && d.Delay <= fsm.TenYearsMillis &&
		d.DeliverAt <= uint64(wall+fsm.TenYearsMillis)
}

// schedule makes ready what was delayed until now.
func (m *Model) schedule() {
	for _, q := range m.queueList() {
		for _, msg := range q.messages {
			if msg.status == scheduled && msg.at <= m.clock.WallMillis {
				msg.status, msg.at = ready, 0
				q.survey()
			}
		}
	}
}

// expire takes away what nobody wants any more.
func (m *Model) expire() {
	for _, q := range m.queueList() {
		for _, msg := range slices.Clone(q.messages) {
			if msg.expires == 0 || msg.expires > m.clock.WallMillis || msg.status != ready && msg.status != retrying {
				continue
			}
			q.expired++
			if q.settings.ExpiredDead && !msg.request {
				m.die(q, msg, fsm.DeathExpired, "")
				continue
			}
			q.dropped++
			q.remove(msg)
		}
	}
}
