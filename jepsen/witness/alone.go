package witness

import (
	"container/heap"
	"slices"
)

// A message that was begun when its consumer was lost is suspected of it. From
// then on it is handed out only to who holds nothing else, and gets nothing
// else meanwhile, so that it can take no other message down with it.

// suspects tells that the state machine does so. While it does not, only tests
// of the model have it.
const suspects = false

// alone: the consumer holds such a message, or is kept for one.
func (k *consumer) alone() bool {
	return k.kept != nil || len(k.held) > 0 && k.held[0].alone
}

// loner is who gets a message that has to be alone: the first who holds
// nothing. If there is none, the first is to be kept for it.
func (q *queue) loner() *consumer {
	i := slices.IndexFunc(q.hungry, func(k *consumer) bool { return len(k.held) == 0 })
	return q.hungry[max(i, 0)]
}

// keep has a consumer settle what it holds, to have the message then.
func (m *model) keep(k *consumer, msg *message) {
	k.kept = msg
	k.queue.kept = append(k.queue.kept, k)
	m.offer(k)
}

// free is a consumer that was kept for a message and has settled the rest.
func (q *queue) free() *consumer {
	i := slices.IndexFunc(q.kept, func(k *consumer) bool { return len(k.held) == 0 })
	if i < 0 {
		return nil
	}
	return q.kept[i]
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
