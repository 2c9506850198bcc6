package fsm

import (
	"fmt"

	"github.com/ferrymq/ferrymq/transport/wire"
)

func (f *frameWriter) request(a *asked) bool {
	b := f.b
	for _, v := range [...]uint64{a.serial, a.session, a.number, a.id.index, uint64(a.id.position), uint64(a.deadline)} {
		b = wire.AppendUint(b, v)
	}
	b = wire.AppendBool(b, a.answered)
	b = wire.AppendUint(b, uint64(a.code))
	b = wire.AppendUint(b, a.answer.index)
	f.b = wire.AppendUint(b, uint64(a.answer.position))
	return true
}

func (x *restorer) request(c *wire.Cursor) error {
	a := &asked{serial: c.Uint(), session: c.Uint(), number: c.Uint(), id: messageID{c.Uint(), c.Uint32()},
		deadline: int64(c.UintMax(deadlineMax)), answered: c.Bool(), code: Code(c.Uint8()),
		answer: messageID{c.Uint(), c.Uint32()}}
	if c.Err() != nil {
		return c.Err()
	}
	if last, _, ok := x.s.requests.all.Max(); ok && last >= a.serial || a.deadline == 0 {
		return fmt.Errorf("request %d after %d, until %d", a.serial, last, a.deadline)
	}
	x.s.addRequest(a)
	return nil
}

// checkRequests checks that requests are of sessions that are there, and that
// what is derived from them is right. The bodies of answers are added to the
// tally of those that belong to something.
func (s *State) checkRequests(all *tally) (err error) {
	waiting := 0
	s.requests.all.Scan(func(serial uint64, a *asked) bool {
		x, ok := s.sessions.Get(a.session)
		k, found := s.requests.byOp.Get(opKey{session: a.session, number: a.number})
		at, waits := s.requests.waiting[a.id]
		switch {
		case !ok || x.ending || a.number == 0 || a.number > x.judged || serial > s.serials:
			err = fmt.Errorf("request %d: session %d, operation %d", serial, a.session, a.number)
		case !found || k.serial != serial || !a.answered && (!waits || at != serial):
			err = fmt.Errorf("request %d is not found by its operation or message", serial)
		case !a.answered && (a.code != OK || a.answer != messageID{}), a.answer.index == 0 && a.answer.position != 0,
			a.answer.index != 0 && a.code != OK:
			err = fmt.Errorf("request %d: answered %v with %d, %d-%d", serial, a.answered, a.code, a.answer.index, a.answer.position)
		}
		if !a.answered {
			waiting++
		}
		if a.answer.index != 0 && err == nil {
			_, err = s.bodies.Get(a.answer.index, a.answer.position)
			all.add(a.answer.index, a.answer.position, 0)
		}
		return err == nil
	})
	n := s.requests.all.Len()
	if err == nil && (waiting != len(s.requests.waiting) || s.requests.byOp.Len() != n) {
		err = fmt.Errorf("%d requests, %d by operation, %d wait, %d by message", n, s.requests.byOp.Len(), waiting, len(s.requests.waiting))
	}
	return err
}
