package witness

import (
	"container/heap"
	"slices"
)

// A message that was begun when its consumer was lost is suspected of it. From
// then on it is handed out only to who holds nothing else, and gets nothing
// else meanwhile, so that it can take no other message down with it.

// alone: the consumer holds such a message, or is kept for one.
func (k *consumer) alone() bool {
	return k.kept != nil || len(k.held) > 0 && k.held[0].alone
}

// loner is who gets a message that has to be alone: the first who holds
// nothing or, without acks, has room. If there is none, the first with acks is
// to be kept for it.
func (q *queue) loner(size uint64) *consumer {
	var first *consumer
	for _, k := range q.hungry {
		switch {
		case k.noAck && !k.hasRoom(size):
			continue
		case len(k.held) == 0:
			return k
		case first == nil:
			first = k
		}
	}
	return first
}

// keep has a consumer settle what it holds, to have the message then.
func (m *model) keep(k *consumer, msg *message) {
	k.kept = msg
	k.queue.kept = append(k.queue.kept, k)
	m.offer(k)
}

// free is a consumer that was kept for a message and has settled the rest.
func (q *queue) free() *consumer {
	var first *consumer
	for _, k := range q.kept {
		if len(k.held) == 0 && (first == nil || k.kept.place < first.kept.place) {
			first = k
		}
	}
	return first
}

// unkeep returns the message that the consumer was kept for, if it was.
func (k *consumer) unkeep() *message {
	msg := k.kept
	if msg != nil {
		k.kept = nil
		k.queue.kept = slices.DeleteFunc(k.queue.kept, func(x *consumer) bool { return x == k })
	}
	return msg
}

// letGo returns the message that a consumer is kept for to its place.
func (m *model) letGo(k *consumer) {
	if msg := k.unkeep(); msg != nil {
		heap.Push(&k.queue.returned, msg)
		m.touch(k.queue)
	}
}
