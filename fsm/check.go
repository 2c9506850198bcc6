package fsm

import "fmt"

// Check walks the whole state between entries and returns the first invariant
// that does not hold. Apply calls it after every entry under the build tag
// invariants.
func (s *State) Check() error {
	if err := s.checkSound(); err != nil {
		return err
	}
	if err := s.checkDone(); err != nil {
		return fmt.Errorf("%w: %w", ErrBroken, err)
	}
	return nil
}

// checkDone checks what an entry leaves to its end: that nothing waits which
// could be handed out.
func (s *State) checkDone() (err error) {
	s.queues.Scan(func(incarnation uint64, q *queue) bool {
		if err = s.checkIdle(q); err != nil {
			err = fmt.Errorf("queue %d: %w", incarnation, err)
		}
		return err == nil
	})
	return err
}

// checkSound checks what holds after every command, too: all the rest. Apply
// calls it there under the build tag.
func (s *State) checkSound() error {
	if s.broken != nil {
		return s.broken
	}
	var all tally
	for _, check := range []func() error{
		func() error { return s.checkQueues(&all) }, s.checkSessions, s.checkConsumers, s.checkTopics,
		func() error { return s.checkRequests(&all) }, func() error { return s.checkBodies(&all) }, s.checkTimers,
	} {
		if err := check(); err != nil {
			return fmt.Errorf("%w: %w", ErrBroken, err)
		}
	}
	return nil
}

func (s *State) checkQueues(all *tally) (err error) {
	if s.names.Len() != s.queues.Len() {
		return fmt.Errorf("%d names of %d queues", s.names.Len(), s.queues.Len())
	}
	s.queues.Scan(func(incarnation uint64, q *queue) bool {
		if at, ok := s.names.Get(q.name); !ok || at != incarnation || q.incarnation != incarnation || incarnation > s.incarnations {
			err = fmt.Errorf("queue %d: name %q is of %d", incarnation, q.name, at)
			return false
		}
		if err = s.checkPair(q); err == nil {
			err = s.checkQueue(q, all)
		}
		return err == nil
	})
	return err
}

// checkPair checks that a queue and its dead-letter queue know each other, and
// that their names are what they were made with.
func (s *State) checkPair(q *queue) error {
	bad := fmt.Errorf("queue %d: dead-letter queue %d, source %d do not pair", q.incarnation, q.deadLetter, q.source)
	if (q.deadLetter == 0) == (q.source == 0) {
		return bad
	}
	p, ok := s.queues.Get(q.deadLetter + q.source) // one of them is 0
	if !ok || p.source+p.deadLetter != q.incarnation || (p.source == 0) == (q.source == 0) {
		return bad
	}
	if q.source == 0 && (nameFault("queue", q.name) != "" || p.name != q.name+DeadLetterSuffix) {
		return fmt.Errorf("queue %d: name %q, dead-letter queue %q", q.incarnation, q.name, p.name)
	}
	return nil
}

func (s *State) checkQueue(q *queue, all *tally) error {
	if err := s.checkSettings(q); err != nil {
		return err
	}
	if err := q.checkTimed(); err != nil {
		return fmt.Errorf("queue %d: %w", q.incarnation, err)
	}
	found, err := s.checkShelf(q.shelf, q.places)
	if err != nil {
		return fmt.Errorf("queue %d: %w", q.incarnation, err)
	}
	all.join(found)
	if noMessages.messages() > 0 {
		return fmt.Errorf("a message was put where no messages are")
	}
	if found.messages != q.messages() || found.bytes != q.bytes {
		return fmt.Errorf("queue %d: %d messages, %d bytes counted, %d and %d found",
			q.incarnation, q.messages(), q.bytes, found.messages, found.bytes)
	}
	if q.deadLetter == 0 {
		q.returned.Scan(func(place uint64, m message) bool { // it has no other lines
			if m.death() == nil {
				err = fmt.Errorf("queue %d: dead letter at place %d without death", q.incarnation, place)
			}
			return err == nil
		})
		if err == nil && q.lane.count > 0 {
			err = fmt.Errorf("queue %d: dead letters in the lane", q.incarnation)
		}
	}
	if err != nil {
		return err
	}
	if _, m, parks := q.parked.Min(); parks && s.queue(q.deadLetter).fits(m.size) == CauseNone {
		if _, moves := s.movable.Get(q.incarnation); !moves {
			return fmt.Errorf("queue %d: nothing moves its first parked message, which fits", q.incarnation)
		}
	}
	if err = s.checkLines(q); err != nil {
		return fmt.Errorf("queue %d: %w", q.incarnation, err)
	}
	if err = s.checkBrakes(q); err != nil {
		return fmt.Errorf("queue %d: %w", q.incarnation, err)
	}
	return nil
}

// tally is what a walk over messages or bodies found.
type tally struct {
	messages uint64
	bytes    uint64
	ids      uint64 // sum of mixed ids: equal for equal sets, in any order
}

func (t *tally) add(index uint64, position, size uint32) {
	t.messages++
	t.bytes += uint64(size)
	t.ids += mix(mix(index) ^ uint64(position))
}

func (t *tally) join(o tally) {
	t.messages += o.messages
	t.bytes += o.bytes
	t.ids += o.ids
}

// mix is the finalizer of splitmix64 (Steele, Lea, Flood 2014).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// checkShelf counts the messages, each of which has its own place and a body.
func (s *State) checkShelf(h *shelf, places uint64) (t tally, err error) {
	seen := map[uint64]bool{} // places of messages with a record; those in the lane rise by themselves
	see := func(place, index uint64, position, size uint32, wall int64) bool {
		if seen[place] || place == 0 || place > places {
			err = fmt.Errorf("place %d of %d is twice or wrong", place, places)
		} else if _, fault := s.bodies.Get(index, position); fault != nil {
			err = fault
		} else if wall > s.clock.WallMillis || index > s.index {
			err = fmt.Errorf("message %d-%d is from the future", index, position)
		}
		t.add(index, position, size)
		return err == nil
	}
	visit := func(place uint64, m message) bool {
		good := see(place, m.index, m.position, m.size, m.wall.int64())
		seen[place] = true
		return good
	}
	for _, walk := range []func(){
		func() { h.eachReturned(visit) },
		func() { h.waiting.Scan(visit) },
		func() { h.leased.Scan(func(place uint64, l lease) bool { return visit(place, l.message) }) },
		func() {
			h.parked.Scan(func(place uint64, m message) bool {
				if m.death() == nil {
					err = fmt.Errorf("parked at place %d without death", place)
				}
				return err == nil && visit(place, m)
			})
		},
		func() {
			h.eachLane(func(_ uint32, l *lane) bool {
				l.each(func(place uint64, m packed) bool { return see(place, m.index, m.position, m.size, m.wall) })
				return err == nil
			})
		},
	} {
		if err == nil {
			walk()
		}
	}
	return t, err
}

// checkBodies checks that each body has as many references as messages are of
// its id.
func (s *State) checkBodies(messages *tally) (err error) {
	s.junk.Scan(func(serial uint64, j *junk) bool {
		found, fault := s.checkShelf(&j.shelf, ^uint64(0))
		switch {
		case fault != nil:
			err = fmt.Errorf("junk %d: %w", serial, fault)
		case found.messages == 0 || serial > s.serials:
			err = fmt.Errorf("junk %d is empty or unknown", serial)
		case found.messages != j.messages():
			err = fmt.Errorf("junk %d: %d messages counted, %d found", serial, j.messages(), found.messages)
		}
		messages.join(found)
		return err == nil
	})
	if err != nil {
		return err
	}
	var bodies tally
	s.bodies.Each(func(index uint64, position uint32, references uint64) {
		bodies.messages += references
		bodies.ids += references * mix(mix(index)^uint64(position))
	})
	if messages.messages != bodies.messages || messages.ids != bodies.ids {
		return fmt.Errorf("%d messages, %d references to bodies, or not of the same ids", messages.messages, bodies.messages)
	}
	return nil
}
