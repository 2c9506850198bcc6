package witness

import (
	"container/heap"

	"github.com/ferrymq/ferrymq/jepsen/history"
)

// parkedMoveMax is how many parked messages are moved in one entry.
const parkedMoveMax = 4096

// queue is one incarnation of a name.
type queue struct {
	name        string
	incarnation uint64
	settings    history.Settings // defaults filled in
	paused      bool
	deadLetters *queue // nil: it is a dead-letter queue
	source      *queue // of a dead-letter queue
	gone        bool
	watched     bool // its counts over time are wanted

	places   uint64
	messages map[uint64]*message // by place, whatever their state
	line     []*message          // never leased, in order
	returned places              // ready again, by place
	kept     []*consumer         // for messages that are ready, and have to be alone
	parked   places
	leased   int

	bytes, leasedBytes             uint64
	published, acked, dead, purged uint64

	members   []*consumer // in the order of their coming
	turns     uint64
	hungry    []*consumer // that have room, by turn
	touchedAt uint64
	notedAt   uint64
}

// places is a heap of messages by place.
type places []*message

func (h places) Len() int           { return len(h) }
func (h places) Less(i, j int) bool { return h[i].place < h[j].place }
func (h places) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *places) Push(x any)        { *h = append(*h, x.(*message)) }
func (h *places) Pop() any {
	n := len(*h) - 1
	x := (*h)[n]
	(*h)[n] = nil
	*h = (*h)[:n]
	return x
}

func (q *queue) ready() int { return len(q.line) + len(q.returned) + len(q.kept) }

func (q *queue) fits(messages, bytes uint64) (cause string) {
	return q.within(uint64(len(q.messages))+messages, q.bytes+bytes)
}

// within tells which limit so much is beyond.
func (q *queue) within(messages, bytes uint64) (cause string) {
	if limit := q.settings.MaxMessages; limit > 0 && messages > limit {
		return causeMessages
	}
	if limit := q.settings.MaxBytes; limit > 0 && bytes > limit {
		return causeBytes
	}
	return ""
}

// front is the ready message with the lowest place; pop takes it.
func (q *queue) front() *message {
	switch {
	case len(q.returned) > 0 && (len(q.line) == 0 || q.returned[0].place < q.line[0].place):
		return q.returned[0]
	case len(q.line) > 0:
		return q.line[0]
	}
	return nil
}

func (q *queue) pop() {
	if len(q.returned) > 0 && (len(q.line) == 0 || q.returned[0].place < q.line[0].place) {
		heap.Pop(&q.returned)
		return
	}
	q.line[0] = nil
	q.line = q.line[1:]
}
