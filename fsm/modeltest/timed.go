package modeltest

import "github.com/ferrymq/ferrymq/fsm"

// When a message is ready and when it expires, by its attributes, the queue's
// settings and the wall clock. 0 is now, and never.
func timesOf(s fsm.Settings, d Draft, wall int64) (at, expires int64) {
	if at = d.readyAt(wall); at <= wall {
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

// readyAt is when a message is to be ready by its attributes.
func (d Draft) readyAt(wall int64) int64 {
	switch {
	case d.Delay != 0:
		return wall + int64(d.Delay)
	case d.DeliverAt != 0:
		return int64(d.DeliverAt)
	}
	return wall
}

// timesGood tells whether the attributes that have to do with time may be so.
func timesGood(d Draft, wall int64) bool {
	return (d.Delay == 0 || d.DeliverAt == 0) && d.TTL <= fsm.TenYearsMillis && d.Delay <= fsm.TenYearsMillis &&
		d.DeliverAt <= uint64(wall+fsm.TenYearsMillis)
}

// nextOnWall finds what the wall clock does first to a message of a queue: make
// it ready, or end it.
func (q *queue) nextOnWall() (first *message, at int64) {
	for _, msg := range q.messages {
		due := int64(0)
		switch msg.status {
		case scheduled:
			due = msg.at
		case ready, retrying:
			due = msg.expires
		}
		if due != 0 && (first == nil || due < at) {
			first, at = msg, due
		}
	}
	return first, at
}

// overdueOnWall does what is due on the wall clock, by time, then place.
func (m *Model) overdueOnWall() {
	for _, q := range m.queueList() {
		for {
			msg, at := q.nextOnWall()
			if msg == nil || at > m.clock.WallMillis {
				break
			}
			if msg.status == scheduled {
				msg.status, msg.at = ready, 0
				q.survey()
				continue
			}
			m.expire(q, msg)
		}
	}
}

// expire takes away what nobody wants any more.
func (m *Model) expire(q *queue, msg *message) {
	q.expired++
	m.reply(msg, fsm.Expired)
	if q.settings.ExpiredDead && !msg.request {
		m.die(q, msg, fsm.DeathExpired, "")
		return
	}
	q.dropped++
	m.takeAway(q, msg)
}
