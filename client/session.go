package client

import (
	"crypto/rand"
	"time"

	"github.com/ferrymq/ferrymq/transport"
)

const (
	// windowItems bounds the messages and settles of the operations whose
	// results a group keeps for one session; it refuses more than 16,384.
	windowItems = 16000
)

// identity is a session's id and what proves it.
type identity struct{ id, secret [16]byte }

func newIdentity() identity {
	var i identity
	rand.Read(i.id[:]) // never fails
	rand.Read(i.secret[:])
	return i
}

// payload is what an operation carries: *batch, *settleBatch or *control.
type payload interface {
	opcode() transport.Op
	items() int
	size() int // about, of its frame
	appendTo(dst []byte, h transport.OpHeader) []byte
}

// operation is a payload with a number: it was sent, or is about to be.
type operation struct {
	payload  payload // nil once it is answered
	items    int
	number   uint64
	stream   uint32 // of its last send on this link, 0 before
	sends    int
	sentAt   time.Time
	answered bool
}

// session is a client's identity in one group, and its numbered operations.
// The manager owns it.
type session struct {
	identity
	group   uint32
	handle  uint32
	epoch   uint64
	opened  bool // the group has, or had, its record
	resumed bool // somebody else's, to be taken over
	taken   bool // it was taken over: others' consumers may be left in it
	used    bool // attached at least once

	last            uint64 // number given
	answeredThrough uint64
	operations      []*operation // by number, from the first that is unanswered
	cursor          int          // the first that is to be sent on this attachment
	itemsKept       int
	gotAnswers      []uint64 // requests whose answers came, which the group is to be told, at most gotMax
	streams         map[uint32]*operation
}

func newSession(group, handle uint32, who identity) *session {
	return &session{identity: who, group: group, handle: handle, streams: map[uint32]*operation{}}
}

// hasRoom tells whether another operation may be numbered.
func (s *session) hasRoom(window uint32) bool {
	return s.last-s.answeredThrough < uint64(window) && s.itemsKept < windowItems-settleItems
}

// add numbers a payload.
func (s *session) add(p payload) {
	s.last++
	s.operations = append(s.operations, &operation{payload: p, items: p.items(), number: s.last})
	s.itemsKept += p.items()
}

// next is the operation that is to be sent next, nil for none.
func (s *session) next() *operation {
	for s.cursor < len(s.operations) {
		if op := s.operations[s.cursor]; !op.answered {
			return op
		}
		s.cursor++
	}
	return nil
}

// sending notes that the operation goes out on the stream.
func (s *session) sending(op *operation, stream uint32, now time.Time) transport.OpHeader {
	delete(s.streams, op.stream)
	op.stream, op.sentAt = stream, now
	op.sends++
	s.streams[stream] = op
	s.cursor++
	return transport.OpHeader{Handle: s.handle, Number: op.number, AnsweredThrough: s.answeredThrough}
}

// answer ends an operation and moves answered_through as far as it goes.
func (s *session) answer(op *operation) {
	delete(s.streams, op.stream)
	op.answered, op.payload = true, nil
	for len(s.operations) > 0 && s.operations[0].answered {
		first := s.operations[0]
		s.answeredThrough = first.number
		s.itemsKept -= first.items
		s.operations[0] = nil
		s.operations = s.operations[1:]
		if s.cursor > 0 {
			s.cursor--
		}
	}
}

// rewind has everything unanswered sent again.
func (s *session) rewind() { s.cursor = 0 }

// linkLost forgets the streams: they were the link's.
func (s *session) linkLost() {
	clear(s.streams)
	for _, op := range s.operations {
		op.stream = 0
	}
}

// judged takes over what the group says it has judged: in a session that
// another process began, numbers go on from there.
func (s *session) judged(n uint64) {
	if n > s.last {
		s.last = n
		if len(s.operations) == 0 {
			s.answeredThrough = n
		}
	}
}

// oldest is when the longest unanswered operation was sent, zero for none.
func (s *session) oldest() time.Time {
	if len(s.operations) == 0 || s.cursor == 0 {
		return time.Time{}
	}
	return s.operations[0].sentAt
}
