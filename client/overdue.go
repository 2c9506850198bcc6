package client

import (
	"slices"
	"time"

	"github.com/ferrymq/ferrymq/transport"
)

// The end of an asynchronous settle whose answer did not come in time. One that
// was sent stays in the session until it is answered, and its delivery stays as
// it is: only its user is told that the outcome is unknown. One that still
// waits is taken back.

// expireSettles ends the settles whose time is over and returns when the next
// one's will be, zero for never.
func (o *outbox) expireSettles(now time.Time) time.Time {
	o.mu.Lock()
	if o.settles.timed == 0 {
		o.mu.Unlock()
		return time.Time{}
	}
	next := o.tellUnanswered(now)
	late, first := o.takeOverdue(now)
	reason := o.reason
	o.mu.Unlock()
	if next.IsZero() {
		next = first // what waits was asked for later than what was sent
	}
	for _, s := range late {
		told, d := s.done, s.d
		s.done = func(err error) {
			if told != nil {
				told(err)
			}
			d.unattended()
		}
		o.endSettle(s, localError(transport.CodeTimeout, s.op, d.Queue, "", reason))
	}
	return next
}

// tellUnanswered tells the users of what was sent. The mutex is held.
func (o *outbox) tellUnanswered(now time.Time) (next time.Time) {
	for _, b := range o.settles.inFlight {
		for ; b.looked < len(b.entries); b.looked++ {
			s := b.entries[b.looked]
			if s.deadline.IsZero() {
				continue
			}
			if now.Before(s.deadline) {
				return s.deadline
			}
			o.settleOver(s)
			if s.done == nil {
				continue
			}
			err := localError(transport.CodeUnknownOutcome, s.op, s.d.Queue, "no answer in time", nil)
			o.tellSettle(notice{done: s.done, err: err, gen: s.gen.again()})
			s.done = nil
		}
	}
	return time.Time{}
}

// takeOverdue takes back what waited for too long. The mutex is held.
func (o *outbox) takeOverdue(now time.Time) (late []*settle, next time.Time) {
	waiting := o.settles.waiting
	first := slices.IndexFunc(waiting, func(s *settle) bool { return !s.deadline.IsZero() })
	if first < 0 {
		return nil, time.Time{}
	}
	if at := waiting[first].deadline; now.Before(at) {
		return nil, at
	}
	o.settles.waiting = slices.DeleteFunc(waiting, func(s *settle) bool {
		switch {
		case s.deadline.IsZero():
			return false
		case now.Before(s.deadline):
			if next.IsZero() {
				next = s.deadline
			}
			return false
		}
		late = append(late, s)
		return true
	})
	return late, next
}

// settleOver notes that nothing is to be told any more about the settle's time.
// The mutex is held.
func (o *outbox) settleOver(s *settle) {
	if !s.over && !s.deadline.IsZero() {
		o.settles.timed--
	}
	s.over = true
}

// unattended hands a delivery back whose handler has returned, whose settle was
// taken back, and which its user has not settled since: it would be extended
// and held for ever. Its work is done or begun with, which the reason leaves open.
func (d *Delivery) unattended() {
	d.k.mu.Lock()
	left := d.left && d.state == stateStarted
	d.k.mu.Unlock()
	if left {
		d.settleAsync("nack", nackItem(ReasonShutdown, ""), time.Time{}, nil)
	}
}
