package fsm

import (
	"cmp"
	"fmt"
	"slices"
)

// derive fills in what no snapshot holds and checks the whole. Whatever
// refers to something that is not there is found here, before it is followed.
func (x *restorer) derive() error {
	s := x.s
	if err := x.deriveConsumers(); err != nil {
		return err
	}
	if err := x.deriveLeases(); err != nil {
		return err
	}
	if err := x.deriveTopics(); err != nil {
		return err
	}
	var err error
	s.queues.Scan(func(_ uint64, q *queue) bool {
		if q.bytes, err = x.claim(q.shelf); err == nil {
			x.watch(q)
			err = s.checkPair(q)
		}
		if err == nil {
			err = s.deriveLines(q)
		}
		return err == nil
	})
	s.junk.Scan(func(_ uint64, j *junk) bool {
		if err == nil {
			_, err = x.claim(&j.shelf)
			j.findLines()
		}
		return err == nil
	})
	s.requests.all.Scan(func(_ uint64, a *asked) bool {
		if err == nil && a.answer.index != 0 {
			err = s.bodies.Claim(a.answer.index, a.answer.position)
		}
		return err == nil
	})
	if err == nil {
		err = s.bodies.Claimed()
	}
	if err != nil {
		return err
	}
	s.queues.Scan(func(_ uint64, q *queue) bool {
		s.roomIn(q)
		return true
	})
	return s.Check()
}

// watch puts what waits for a clock into the queue's index.
func (x *restorer) watch(q *queue) {
	watch := func(place uint64, m message) bool {
		q.watch(place, &m)
		return true
	}
	q.eachReturned(watch)
	q.waiting.Scan(watch)
	x.s.arm(q)
}

// claim counts the references of messages to their bodies. It returns the sum
// of their sizes.
func (x *restorer) claim(h *shelf) (bytes uint64, err error) {
	one := func(index uint64, position, size uint32) bool {
		bytes += uint64(size)
		err = x.s.bodies.Claim(index, position)
		return err == nil
	}
	own := func(_ uint64, m message) bool { return one(m.index, m.position, m.size) }
	for _, walk := range []func(){
		func() {
			h.eachLane(func(_ uint32, l *lane) bool {
				l.each(func(_ uint64, m packed) bool { return one(m.index, m.position, m.size) })
				return err == nil
			})
		},
		func() { h.eachReturned(own) },
		func() { h.waiting.Scan(own) },
		func() { h.parked.Scan(own) },
		func() { h.leased.Scan(func(place uint64, l lease) bool { return own(place, l.message) }) },
	} {
		if err == nil {
			walk()
		}
	}
	return bytes, err
}

func (x *restorer) deriveConsumers() (err error) {
	s := x.s
	s.consumers.Scan(func(serial uint64, c *consumer) bool {
		y, ok := s.sessions.Get(c.session)
		q, found := s.queues.Get(c.queue)
		if !ok || !found {
			err = fmt.Errorf("consumer %d of session %d and queue %d: one is missing", serial, c.session, c.queue)
			return false
		}
		i, twice := y.find(c.number)
		if _, taken := q.hungry.Get(c.turn); twice || c.turn != 0 && taken {
			err = fmt.Errorf("consumer %d: number %d or turn %d is in use", serial, c.number, c.turn)
			return false
		}
		y.consumers = slices.Insert(y.consumers, i, member{c.number, serial})
		c.live = y.attached
		q.members.Set(serial, struct{}{})
		q.countPresent(c, 1)
		if c.turn != 0 {
			q.hungry.Set(c.turn, serial)
		}
		if c.kept != 0 {
			if q.kept != nil {
				if _, twice := q.kept.Get(c.kept); twice {
					err = fmt.Errorf("consumer %d: another one is kept for place %d too", serial, c.kept)
					return false
				}
			}
			q.keptFor(c.kept, serial)
		}
		return true
	})
	return err
}

func (x *restorer) deriveLeases() (err error) {
	s := x.s
	type held struct{ token, place uint64 }
	var all []held
	s.queues.Scan(func(incarnation uint64, q *queue) bool {
		all = all[:0]
		q.leased.Scan(func(place uint64, l lease) bool {
			c, ok := s.consumers.Get(l.consumer)
			if !ok || c.queue != incarnation || c.noAck {
				err = fmt.Errorf("lease at place %d of queue %d: consumer %d", place, incarnation, l.consumer)
				return false
			}
			all = append(all, held{l.token, place})
			c.heldBytes += uint64(l.size)
			c.alone = c.alone || l.flags&flagAlone != 0
			q.leasedBytes += uint64(l.size)
			return true
		})
		if err != nil {
			return false
		}
		slices.SortFunc(all, func(a, b held) int { return cmp.Compare(a.token, b.token) })
		for i, h := range all {
			if i > 0 && h.token == all[i-1].token {
				err = fmt.Errorf("token %d twice", h.token)
				return false
			}
			l, _ := q.leased.Get(h.place)
			c, _ := s.consumers.Get(l.consumer)
			c.lent++
			l.number = c.lent
			c.held.Set(uint64(l.number), h.place)
			q.leased.Set(h.place, l)
		}
		return true
	})
	return err
}
