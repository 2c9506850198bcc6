package fsm

import "github.com/ferrymq/ferrymq/fsm/record"

// held is where a message of a queue is.
type held uint8

const (
	heldNowhere held = iota
	heldPacked
	heldReturned
	heldWaiting
	heldLeased
	heldParked
)

// find looks for a message at a place. One that is packed has its line from
// its record.
func (s *State) find(q *queue, it *AmendItem) (m message, at held) {
	at = heldReturned
	m, ok := q.returnedAt(it.Place)
	if !ok {
		m, ok = q.waiting.Get(it.Place)
		at = heldWaiting
	}
	if !ok {
		m, ok = q.parked.Get(it.Place)
		at = heldParked
	}
	if !ok {
		var l lease
		l, ok = q.leased.Get(it.Place)
		m, at = l.rest(), heldLeased
	}
	if !ok {
		var p packed
		if info, fault := s.infoOf(it.Index, it.Position); fault == nil {
			n, made := q.lineOf(info)
			if made {
				p, ok = q.stackOf(n).lane.find(it.Place)
			}
			m, at = p.message(), heldPacked
			m.line = n
		}
	}
	if !ok || m.index != it.Index || m.position != it.Position {
		return message{}, heldNowhere
	}
	return m, at
}

// infoOf reads the attributes of a stored message.
func (s *State) infoOf(index uint64, position uint32) (*record.Info, error) {
	b, err := s.bodies.Get(index, position)
	if err != nil {
		return nil, err
	}
	data, err := b.Load()
	if err != nil {
		return nil, s.fail(err)
	}
	info := new(record.Info)
	return info, info.Peek(data)
}

// lift takes a message away from its place.
func (s *State) lift(q *queue, place uint64, m *message, at held) {
	switch at {
	case heldReturned:
		s.takeReturned(q, place)
	case heldWaiting:
		*m, _ = s.takeWaiting(q, place) // nobody is kept for it any more
	case heldParked:
		q.parked.Delete(place)
		s.roomIn(s.queue(q.deadLetter)) // the next one may be smaller
	default:
		s.takePacked(q, m.line, place)
	}
	s.arm(q)
}
