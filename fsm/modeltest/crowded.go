package modeltest

import (
	"slices"

	"github.com/ferrymq/ferrymq/fsm"
)

// crowded is what a queue needs that would have to drop more than the entry may:
// room for so much, after so much is gone.
type crowded struct {
	queue      uint64 // its incarnation, which outlives an attempt
	lossy      bool
	want, gone amount
}

// lossy: of a subscription that never refuses.
func (q *queue) lossy() bool { return q.subject != nil && !q.subject.required }

// spent are the drops, less one for each message that was taken.
func (m *Model) spent(q *queue) *int {
	if m.toTopic && q.lossy() {
		return &m.spentLossy
	}
	return &m.spentElse
}

// crowd notes a queue that did not take a message because of its need for room.
// Of what is all or nothing, it needs room for all up to this one.
func (m *Model) crowd(q *queue, size uint64, cause fsm.Cause) {
	if cause != fsm.CauseRoom {
		return
	}
	c := crowded{queue: q.incarnation, lossy: m.toTopic && q.lossy(), want: amount{1, size}}
	if m.attempting {
		c.want = amount{q.arrived.messages + 1, q.arrived.bytes + size}
		c.gone = q.settled
		if !c.lossy {
			m.short = &c
		}
	}
	m.note(q, c)
}

func (m *Model) note(q *queue, c crowded) {
	if !q.crowded {
		q.crowded = true
		m.crowded = append(m.crowded, c)
	}
}

// makeWay drops what the entry has left to drop, for the first crowded ones.
func (m *Model) makeWay() {
	for _, c := range m.crowded {
		q, left := m.incarnations[c.queue], &m.spentElse
		if q.gone {
			continue
		}
		if c.lossy {
			left = &m.spentLossy
		}
		for *left = max(0, *left); *left < m.bounds.Room; *left++ {
			msg := q.inTheWay(c)
			if msg == nil {
				break
			}
			m.overflow(q, msg)
		}
	}
}

// inTheWay is the message that has to go next and can, nil for none.
func (q *queue) inTheWay(c crowded) *message {
	use := q.use()
	use = amount{less(use.messages+c.want.messages, c.gone.messages), less(use.bytes+c.want.bytes, c.gone.bytes)}
	if q.holds(use) || q.settings.Overflow != fsm.OverflowDropOldest {
		return nil
	}
	return q.oldest()
}

// oldest is the message that can be dropped, nil for none.
func (q *queue) oldest() *message {
	i := slices.IndexFunc(q.messages, (*message).free)
	if i < 0 || q.dlq.fits(q.messages[i].size()) != fsm.CauseNone {
		return nil
	}
	return q.messages[i]
}

// givesWay tells whether one can be dropped, in an attempt: could before it.
func (q *queue) givesWay(attempting bool) bool {
	if attempting {
		return q.gaveWay
	}
	return q.oldest() != nil
}

func less(n, by uint64) uint64 { return n - min(n, by) }
