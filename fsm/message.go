package fsm

import "github.com/tidwall/btree"

// message is a message with state of its own: leased once, returned, parked
// or dead-lettered.
type message struct {
	index     uint64 // its id is (group, index, position)
	wall      int64  // when it entered the log
	position  uint32
	size      uint32 // logical
	attempts  uint32 // leases given
	failures  uint32 // blamed on the message
	lastToken uint64 // of its last lease, and why that ended
	at        int64  // waiting: when it becomes ready, by the wall clock if scheduled, else by the lease clock
	expires   int64  // wall clock; 0: never
	line      uint32 // of its queue; 0: the plain one
	lastEnd   Cause
	flags     flags
	more      *more // nil for most
}

// flags of a message.
type flags uint8

const (
	flagScheduled flags = 1 << iota // waits for the wall clock: delayed, or rescheduled
	flagAlone                       // blamed for a crash: from now on leased only as a consumer's single message
	flagRequest                     // somebody waits for an answer
	flagsEnd
)

// more is what few messages have. It is never changed: a change makes a new one.
type more struct {
	history   []Attempt // the last attempts that ended without success, oldest first
	forgotten uint32    // attempts before those
	death     *Death    // in a dead-letter queue, and parked on the way there
}

func (m *message) death() *Death {
	if m.more == nil {
		return nil
	}
	return m.more.death
}

func (p packed) message() message {
	return message{index: p.index, wall: p.wall, position: p.position, size: p.size}
}

// lease is a message that a consumer holds.
type lease struct {
	message
	token    uint64
	consumer uint64 // serial
	deadline int64  // lease clock
	millis   uint32 // its length
	extended bool
}

// shelf holds the messages of a queue. Its places are unique over all parts.
type shelf struct {
	lane     lane
	returned btree.Map[uint64, message] // ready, by place
	leased   btree.Map[uint64, lease]   // by place
	waiting  btree.Map[uint64, message] // not ready: scheduled, or until their retry; by place
	parked   btree.Map[uint64, message] // dead, but their dead-letter queue is full; by place
}

// noMessages is the shelf of every queue that never had a message, so that
// many such queues take little memory. Nothing is put into it.
var noMessages shelf

// stock gives a queue that a message is put into a shelf of its own.
func (q *queue) stock() {
	if q.shelf == &noMessages {
		q.shelf = &shelf{}
	}
}

func (h *shelf) ready() uint64 { return h.lane.count + uint64(h.returned.Len()) }

func (h *shelf) messages() uint64 {
	return h.ready() + uint64(h.leased.Len()) + uint64(h.waiting.Len()) + uint64(h.parked.Len())
}

// front is the ready message with the lowest place.
func (h *shelf) front() (place uint64, m message, ok bool) {
	place, p, waiting := h.lane.front()
	if h.returned.Len() > 0 {
		if at, r, _ := h.returned.Min(); !waiting || at < place {
			return at, r, true
		}
	}
	return place, p.message(), waiting
}

// take removes the message that front returned.
func (h *shelf) take(place uint64) {
	if _, ok := h.returned.Delete(place); !ok {
		h.lane.pop()
	}
}
