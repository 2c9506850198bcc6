package witness

import (
	"cmp"
	"slices"

	"github.com/ferrymq/ferrymq/jepsen/history"
)

// Consumers of a queue that have room take turns: who was served, and still
// has room, goes to the end.

// grant is one lease: what it was for and to whom.
type grant struct {
	queue    *queue
	id       history.Witness
	key      history.Key
	consumer uint64 // its serial
	index    uint64 // of the entry that gave it
	attempt  uint32
	failures uint32
	dead     string
	ended    uint64 // index of the entry that ended it; 0: it runs
	by       string // the settle that did, "" for none
}

// taking names what was given to a consumer without acks: it is gone then.
type taking struct {
	queue string
	id    history.Witness
}

// offer puts a consumer into its queue's round, or takes it out.
func (m *model) offer(k *consumer) {
	can := k.live && !k.closing && k.outstanding() < int(k.credit) && !k.alone()
	switch {
	case can && k.turn == 0:
		m.joinRound(k)
	case !can && k.turn != 0:
		m.leaveRound(k)
	}
}

func (m *model) joinRound(k *consumer) {
	q := k.queue
	q.turns++
	k.turn = q.turns
	q.hungry = append(q.hungry, k)
}

func (m *model) leaveRound(k *consumer) {
	if k.turn == 0 {
		return
	}
	q := k.queue
	i, ok := slices.BinarySearchFunc(q.hungry, k.turn, func(x *consumer, turn uint64) int { return cmp.Compare(x.turn, turn) })
	if ok {
		q.hungry = slices.Delete(q.hungry, i, i+1)
	}
	k.turn = 0
}

// handOut gives ready messages in the order of their places. If the first fits
// nobody's bytes, the rest waits behind it.
func (m *model) handOut(q *queue) {
	for !q.paused {
		if k := q.free(); k != nil {
			m.assign(k, k.unkeep())
			continue
		}
		msg := q.front()
		if msg == nil || len(q.hungry) == 0 {
			return
		}
		k := q.taker(msg)
		if k == nil {
			return
		}
		q.pop()
		if msg.alone && len(k.held) > 0 {
			m.keep(k, msg)
			continue
		}
		m.assign(k, msg)
	}
}

// taker is who is to have the message, nil if there is nobody.
func (q *queue) taker(msg *message) *consumer {
	if msg.alone {
		return q.loner(msg.size)
	}
	i := slices.IndexFunc(q.hungry, func(k *consumer) bool { return k.hasRoom(msg.size) })
	if i < 0 {
		return nil
	}
	return q.hungry[i]
}

// assign gives a message to a consumer, for good or under a lease.
func (m *model) assign(k *consumer, msg *message) {
	q := msg.queue
	m.changed(q)
	msg.attempts++
	k.heldBytes += msg.size
	if k.noAck {
		k.assigned++
		k.sizes = append(k.sizes, msg.size)
		q.acked++
		m.leave(msg)
		m.taken[taking{q.name, msg.id()}] = m.index
	} else {
		m.tokens++
		msg.token, msg.holder, msg.state, msg.extended = m.tokens, k, leased, false
		msg.millis = cmp.Or(k.leaseMillis, q.settings.LeaseMillis)
		msg.deadline = m.lease + int64(msg.millis)
		q.leased++
		q.leasedBytes += msg.size
		k.held = append(k.held, msg)
		if k.leaseAt == 0 || msg.deadline < k.leaseAt {
			m.leaseAt(k, msg.deadline)
		}
		m.grants = append(m.grants, grant{queue: q, id: msg.id(), key: msg.key, consumer: k.serial,
			index: m.index, attempt: msg.attempts, failures: msg.failures, dead: msg.dead})
	}
	if k.outstanding() >= int(k.credit) || k.alone() {
		m.leaveRound(k)
	} else if len(q.hungry) > 1 {
		m.leaveRound(k)
		m.joinRound(k)
	}
}
