package modeltest

import (
	"slices"

	"github.com/ferrymq/ferrymq/fsm"
)

// die sends a message that nobody holds to the dead-letter queue: in the same
// entry, or it is parked here while that is full. Out of a dead-letter queue a
// message is gone.
func (m *Model) die(q *queue, msg *message, reason, note string) {
	m.reply(msg, fsm.DeadLettered)
	if q.dlq == nil {
		q.dead++
		q.remove(msg)
		return
	}
	msg.death = &fsm.Death{
		Queue: q.name, Reason: reason, Attempts: msg.attempts, Failures: msg.failures,
		Error: cut(note), AtMillis: m.clock.WallMillis, History: msg.history, Forgotten: msg.forgotten,
	}
	msg.history, msg.forgotten = nil, 0 // they are in the death
	m.letGo(msg)
	msg.at, msg.expires, msg.alone = 0, 0, false
	if m.inTail {
		m.dying[q] = append(m.dying[q], msg)
		msg.status = parked
		q.survey()
		return
	}
	m.entomb(q, msg)
}

// entomb dead-letters a message, or parks it while there is no room.
func (m *Model) entomb(q *queue, msg *message) {
	if q.dlq.fits(msg.size()) != fsm.CauseNone {
		msg.status = parked
		q.survey()
		return
	}
	m.bury(q, msg)
}

// bury moves a message to the end of its queue's dead-letter queue.
func (m *Model) bury(q *queue, msg *message) {
	q.remove(msg)
	q.dead++
	q.dlq.add(&message{id: msg.id, draft: msg.draft, entered: msg.entered, status: ready, death: msg.death})
}

// unpark moves parked messages on, in order, as far as their queue has room.
func (m *Model) unpark() {
	for _, q := range m.queueList() {
		for q.dlq != nil {
			i := slices.IndexFunc(q.messages, func(msg *message) bool { return msg.status == parked })
			if i < 0 || q.dlq.fits(q.messages[i].size()) != fsm.CauseNone {
				break
			}
			m.bury(q, q.messages[i])
		}
	}
}

// mourn puts what died together into its dead-letter queue, in the order in
// which the machine did: that is its own.
func (m *Model) mourn(effects []fsm.Effect, look Look) {
	for _, q := range m.queueList() {
		if len(m.dying[q]) > 0 {
			m.lament(q, buried(q.dlq, effects, look))
		}
	}
	m.dying = map[*queue][]*message{}
}

// mournFirst does so for a queue that is about to go: its dead-letter queue goes
// with it, so what was put there is known from what was told.
func (m *Model) mournFirst(q *queue) {
	places := map[fsm.ID]uint64{}
	for i, e := range m.told {
		if e.Kind == fsm.TraceDead && e.Queue == q.name {
			places[e.ID] = uint64(i)
		}
	}
	m.lament(q, places)
	delete(m.dying, q)
}

// lament puts what died in a queue where it goes, by the places that it got.
func (m *Model) lament(q *queue, places map[fsm.ID]uint64) {
	dying := m.dying[q]
	slices.SortStableFunc(dying, func(a, b *message) int { return rank(places, a) - rank(places, b) })
	for _, msg := range dying {
		m.entomb(q, msg)
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
