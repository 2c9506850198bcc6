package fsm

import (
	"strings"

	"github.com/tidwall/btree"
)

// queue is one incarnation of a name.
type queue struct {
	gen         uint64
	name        string
	incarnation uint64
	settings    Settings // defaults filled in; of a dead-letter queue: made from its source's
	paused      bool
	deadLetter  uint64 // its dead-letter queue; 0: it is one
	source      uint64 // of a dead-letter queue

	places      uint64 // last one given
	turns       uint64 // last one given to a consumer, see checkout.go
	active      uint64 // serial of an exclusive queue's consumer; 0: none
	*shelf             // see stock
	bytes       uint64 // logical, of all messages
	leasedBytes uint64 // of the leased ones

	published, acked, dead, purged uint64
	overflowed, missed, duplicates uint64
	expired                        uint64
	recalled                       []uint64 // see recall.go

	breaker      *breaker      // nil: it has none
	bucket       *bucket       // nil: it has no rate
	subscription *subscription // nil: it is none
	window       *window       // of message ids; nil: none were seen

	// Derived from the consumers, in no snapshot, and never read through a
	// pinned queue: a clone takes them over as they are.
	members btree.Map[uint64, struct{}] // serials of its consumers
	present int                         // how many of them are
	hungry  btree.Map[uint64, uint64]   // turn to serial: those that can take a message
	touched uint64                      // entry in which it was
	crowded uint64                      // the same, see crowded.go
	kept    *btree.Map[uint64, uint64]  // place to serial: consumers that are kept for a message, see alone.go; nil: none

	// Derived from the messages, in no snapshot, and never read through a
	// pinned queue either.
	timed                 *timed // what waits for a clock; nil: nothing
	armedLease, armedWall int64  // its timers; 0: none
}

// fits tells whether one more message of this size is within the limits.
func (q *queue) fits(size uint32) Cause { return q.fitsAll(1, uint64(size)) }

func (q *queue) fitsAll(messages, bytes uint64) Cause {
	return q.within(q.messages()+messages, q.bytes+bytes)
}

// within tells whether so much is within the limits.
func (q *queue) within(messages, bytes uint64) Cause {
	if limit := q.settings.MaxMessages; limit > 0 && messages > limit {
		return CauseMessages
	}
	if limit := q.settings.MaxBytes; limit > 0 && bytes > limit {
		return CauseBytes
	}
	return CauseNone
}

// holds tells whether a message of this size finds room in the queue when it is
// empty: else no retry could succeed.
func (q *queue) holds(size uint32) bool {
	return q.settings.MaxBytes == 0 || uint64(size) <= q.settings.MaxBytes
}

// touch puts a queue on the list of those that hand out at the end of the entry.
func (s *State) touch(q *queue) {
	if q.touched != s.index {
		q.touched = s.index
		s.work.touched = append(s.work.touched, q.incarnation)
	}
}

// roomIn notes that a dead-letter queue may have room for a parked message.
func (s *State) roomIn(q *queue) {
	if q.source == 0 {
		return
	}
	src, ok := s.queues.Get(q.source)
	if !ok || src.parked.Len() == 0 {
		return
	}
	if _, m, _ := src.parked.Min(); q.fits(m.size) == CauseNone {
		s.movable.Set(src.incarnation, struct{}{})
	}
}

// nameFault says why a user cannot make a queue of this name, "" if he can.
func nameFault(of, name string) string {
	switch {
	case name == "":
		return of + " name is empty"
	case len(name) > MaxNameBytes:
		return of + " name is longer than 196 bytes"
	case name[0] == '$':
		return of + " names that begin with $ are the system's"
	case strings.HasSuffix(name, DeadLetterSuffix):
		return of + " names that end in .dlq are the system's"
	}
	for i := range len(name) {
		if !nameByte(name[i]) {
			return of + " name has a byte outside of A-Z a-z 0-9 _ . -"
		}
	}
	return ""
}

func nameByte(b byte) bool {
	return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || b == '_' || b == '.' || b == '-'
}
