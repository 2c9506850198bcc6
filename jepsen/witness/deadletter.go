package witness

import (
	"container/heap"
	"slices"
)

// deadLetter moves a message to the dead-letter queue, or parks it if that is
// full. What is rejected in a dead-letter queue itself is dropped.
func (m *model) deadLetter(msg *message, reason string) {
	q := msg.queue
	if q.deadLetters == nil {
		q.dead++
		m.leave(msg)
		return
	}
	msg.dead = reason
	if q.deadLetters.fits(1, msg.size) != "" {
		msg.state = parked
		heap.Push(&q.parked, msg)
		m.waiting[q.incarnation] = q
		return
	}
	m.bury(msg)
}

// bury makes a new message with the old id of it.
func (m *model) bury(msg *message) {
	q, d := msg.queue, msg.queue.deadLetters
	m.changed(q)
	m.changed(d)
	q.dead++
	m.leave(msg)
	d.places++
	buried := &message{queue: d, index: msg.index, position: msg.position, key: msg.key, size: msg.size,
		place: d.places, state: returned, dead: msg.dead}
	d.messages[buried.place] = buried
	heap.Push(&d.returned, buried)
	d.published++
	d.bytes += buried.size
	m.touch(d)
}

// moveParked moves parked messages whose dead-letter queue has room again.
func (m *model) moveParked() {
	if len(m.waiting) == 0 {
		return
	}
	some := make([]uint64, 0, len(m.waiting))
	for incarnation := range m.waiting {
		some = append(some, incarnation)
	}
	slices.Sort(some)
	budget := parkedMoveMax
	for _, incarnation := range some {
		q := m.queues[incarnation]
		for ; budget > 0 && len(q.parked) > 0; budget-- {
			if q.deadLetters.fits(1, q.parked[0].size) != "" {
				break
			}
			m.bury(heap.Pop(&q.parked).(*message))
		}
		if len(q.parked) == 0 {
			delete(m.waiting, incarnation)
		}
	}
}
