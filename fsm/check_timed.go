package fsm

import "fmt"

// checkSettings checks that a queue's settings are what they are filled in to.
func (s *State) checkSettings(q *queue) error {
	want, r := q.settings.filled()
	if q.source != 0 {
		src, _ := s.queues.Get(q.source)
		want, r = src.settings.deadLetter(), Result{}
	}
	if r.Code != OK || want != q.settings {
		return fmt.Errorf("queue %d: settings %+v", q.incarnation, q.settings)
	}
	return nil
}

// checkTimed checks that messages wait where they say they do, and that the
// queue's order of what is due has each of them and nothing else.
func (q *queue) checkTimed() (err error) {
	var onLease, onWall int
	var scheduled uint64
	visit := func(place uint64, m message, waits bool) bool {
		reserved := m.flags&flagReserved != 0
		if kept, _ := q.keeper(place); reserved != (kept != 0) {
			err = fmt.Errorf("message at place %d: reserved %v, consumer %d is kept for it", place, reserved, kept)
			return false
		}
		if reserved && (!waits || m.flags&flagAlone == 0) || waits && !reserved != (!m.at.zero()) || !waits && !m.at.zero() || !waits && m.flags&flagScheduled != 0 || !m.flags.fitting() {
			err = fmt.Errorf("message at place %d: waits %v for %d, flags %d", place, waits, m.at.int64(), m.flags)
			return false
		}
		if m.flags&flagScheduled != 0 {
			scheduled++
			if m.over(m.at.int64()) {
				err = fmt.Errorf("message at place %d is ready at %d, when it is over", place, m.at.int64())
				return false
			}
		}
		if at := m.onLease(); at != 0 {
			onLease++
			if q.timed == nil {
				err = fmt.Errorf("message at place %d waits for %d, and nothing is due", place, at)
			} else if _, ok := q.timed.lease.Get(due{at, place}); !ok {
				err = fmt.Errorf("message at place %d is not due at %d by the lease clock", place, at)
			}
		}
		if at := m.onWall(); at != 0 {
			onWall++
			if q.timed == nil {
				err = fmt.Errorf("message at place %d ends at %d, and nothing is due", place, at)
			} else if _, ok := q.timed.wall.Get(due{at, place}); !ok {
				err = fmt.Errorf("message at place %d is not due at %d by the wall clock", place, at)
			}
		}
		return err == nil
	}
	q.eachReturned(func(place uint64, m message) bool { return visit(place, m, false) })
	if err == nil {
		q.waiting.Scan(func(place uint64, m message) bool { return visit(place, m, true) })
	}
	still := func(place uint64, m *message) bool {
		if !m.at.zero() || !m.retries() || !m.flags.fitting() {
			err = fmt.Errorf("message at place %d waits for %d, flags %d", place, m.at.int64(), m.flags)
		}
		return err == nil
	}
	if err == nil {
		q.leased.Scan(func(place uint64, l lease) bool {
			m := l.rest()
			return still(place, &m)
		})
	}
	if err == nil {
		q.parked.Scan(func(place uint64, m message) bool { return still(place, &m) })
	}
	var found timedCount
	if t := q.timed; t != nil {
		found = timedCount{t.lease.Len(), t.wall.Len(), t.scheduled}
	}
	if want := (timedCount{onLease, onWall, scheduled}); err == nil && found != want {
		err = fmt.Errorf("%+v are due, want %+v", found, want)
	}
	return err
}

type timedCount struct {
	lease, wall int
	scheduled   uint64
}
