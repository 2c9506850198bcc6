package fsm

import (
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
	var err error
	s.queues.Scan(func(_ uint64, q *queue) bool {
		q.lane.each(func(_ uint64, m packed) bool {
			q.bytes += uint64(m.size)
			return true
		})
		q.returned.Scan(func(place uint64, m message) bool {
			q.bytes += uint64(m.size)
			q.watch(place, &m)
			return true
		})
		q.waiting.Scan(func(place uint64, m message) bool {
			q.bytes += uint64(m.size)
			q.watch(place, &m)
			return true
		})
		s.arm(q)
		q.parked.Scan(func(_ uint64, m message) bool {
			q.bytes += uint64(m.size)
			return true
		})
		q.bytes += q.leasedBytes
		if err = s.checkPair(q); err != nil {
			return false
		}
		return true
	})
	if err != nil {
		return err
	}
	s.queues.Scan(func(_ uint64, q *queue) bool {
		s.roomIn(q)
		return true
	})
	return s.Check()
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
		if c.turn != 0 {
			q.hungry.Set(c.turn, serial)
		}
		return true
	})
	return err
}

func (x *restorer) deriveLeases() (err error) {
	s := x.s
	s.queues.Scan(func(incarnation uint64, q *queue) bool {
		q.leased.Scan(func(place uint64, l lease) bool {
			c, ok := s.consumers.Get(l.consumer)
			if !ok || c.queue != incarnation || c.noAck {
				err = fmt.Errorf("lease at place %d of queue %d: consumer %d", place, incarnation, l.consumer)
				return false
			}
			if _, taken := c.held.Set(l.token, place); taken {
				err = fmt.Errorf("token %d twice", l.token)
				return false
			}
			c.heldBytes += uint64(l.size)
			q.leasedBytes += uint64(l.size)
			return true
		})
		return err == nil
	})
	return err
}
