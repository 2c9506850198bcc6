package fsm

import (
	"slices"

	"github.com/ferrymq/ferrymq/fsm/record"
)

// amendAll does one thing to messages of a queue that a person chose, each
// judged for itself. An ordered one names a single message, so that it is all
// or nothing.
func (s *State) amendAll(c *Amend) Result {
	items := min(len(c.Items), MaxItems)
	x, r := s.admit(&c.OpHeader, items)
	if x == nil {
		return r
	}
	q, r := s.amendable(x, c)
	if r.Code != OK {
		return s.keep(x, &c.OpHeader, items, s.at(r, 1))
	}
	w := &s.work
	w.verdicts = w.verdicts[:0]
	for i := range c.Items {
		w.verdicts = append(w.verdicts, s.amend(q, c, &c.Items[i]))
	}
	s.touch(q)
	r = verdict(w.verdicts, amendFault(c, w.verdicts))
	if !r.accepted() && len(r.Items) == 0 { // unlike a refusal of them all together
		r.Items = slices.Clone(w.verdicts)
	}
	return s.keep(x, &c.OpHeader, items, s.at(r, items))
}

// amendFault says what is wrong with the messages that are invalid, or else too
// large, "" if none is: one text for each action.
func amendFault(c *Amend, items []Verdict) string {
	has := func(code Code) bool {
		return slices.ContainsFunc(items, func(v Verdict) bool { return v.Code == code })
	}
	if !has(Invalid) {
		if has(TooLarge) {
			return "larger than the limit in bytes of the queue to move to"
		}
		return ""
	}
	if c.Action == AmendMove {
		return "only a dead letter goes back to where it came from; others need a queue to move to"
	}
	return "what waits for room in the dead-letter queue is not scheduled, nor is a request for its deadline or later"
}

// amendable is the queue of an Amend, or why nothing of it can be carried out.
func (s *State) amendable(x *session, c *Amend) (*queue, Result) {
	switch {
	case !x.inOrder(&c.OpHeader):
		return nil, Result{Code: OutOfOrder}
	case c.Action < AmendDelete || c.Action > AmendSchedule:
		return nil, Result{Code: Invalid, Detail: "unknown action"}
	case len(c.Items) == 0:
		return nil, Result{Code: Invalid, Detail: "no messages"}
	case len(c.Items) > MaxItems:
		return nil, Result{Code: TooLarge, Detail: "more than 1000 messages"}
	case c.Ordered && len(c.Items) > 1:
		return nil, Result{Code: Invalid, Detail: "more than one message in order"}
	case c.Action == AmendSchedule && c.AtMillis > s.clock.WallMillis+TenYearsMillis:
		return nil, Result{Code: Invalid, Detail: "more than ten years away"}
	}
	q := s.queueNamed(c.Queue)
	switch {
	case q == nil:
		return nil, Result{Code: NotFound}
	case q.deadLetter == 0 && c.Action > AmendMove:
		return nil, Result{Code: Invalid, Detail: "a dead letter is deleted or moved"}
	case c.Action == AmendMove && c.To == c.Queue:
		return nil, Result{Code: Invalid, Detail: "it is there already"}
	case c.Action == AmendMove && c.To != "":
		if s.topicNamed(c.To) != nil {
			return nil, Result{Code: Invalid, Detail: "a message is moved to a queue, not to a topic"}
		}
		if to := s.queueNamed(c.To); to == nil {
			return nil, Result{Code: NotFound, Detail: "no queue " + c.To + " to move to"}
		} else if to.deadLetter == 0 {
			return nil, Result{Code: Invalid, Detail: "a dead-letter queue is filled by the system only"}
		}
	}
	return q, Result{}
}

// amend does what is asked for to one message.
func (s *State) amend(q *queue, c *Amend, it *AmendItem) Verdict {
	m, at := s.find(q, it)
	switch {
	case at == heldNowhere:
		return Verdict{Code: NotFound}
	case at == heldLeased && c.Action == AmendRequeue:
		l, _ := q.leased.Get(it.Place)
		q.recall(l.token)
		s.endLease(q, it.Place, ending{outcome: toBack, cause: CauseRequeued, reset: c.Reset})
		return Verdict{}
	case at == heldLeased:
		return Verdict{Code: InUse}
	}
	switch c.Action {
	case AmendDelete:
		s.lift(q, it.Place, &m, at)
		q.purged++
		s.endMessage(q, &m, DeadLettered)
		if s.trace != nil {
			s.tell(TraceDeleted, q, m.index, m.position, nil, 0, "")
		}
	case AmendMove:
		return s.moveTo(q, c, it.Place, m, at)
	case AmendRequeue:
		s.lift(q, it.Place, &m, at)
		if at == heldParked || m.flags&flagScheduled != 0 {
			s.liveAnew(q, &m)
		}
		s.requeue(q, m, c.Reset)
	case AmendSchedule:
		return s.reschedule(q, it.Place, m, at, c.AtMillis)
	}
	return Verdict{}
}

// requeue makes a message ready behind everything else.
func (s *State) requeue(q *queue, m message, reset bool) {
	m.undead(q)
	if reset {
		m.reset()
	}
	q.places++
	s.putReady(q, q.places, m)
	if s.trace != nil {
		s.tell(TraceRequeued, q, m.index, m.position, nil, 0, "")
	}
}

// liveAnew begins the time to live of a message that is made ready: it had not
// begun, or ended with the message's death.
func (s *State) liveAnew(q *queue, m *message) {
	info, err := s.infoOf(m.index, m.position)
	if err != nil {
		s.fail(err)
		return
	}
	m.expires = q.livesFrom(s.clock.WallMillis, m, info)
}

// livesFrom is when a message expires that is ready at a time, a request by its
// deadline at the latest.
func (q *queue) livesFrom(readyAt int64, m *message, info *record.Info) millis {
	at := q.expiresAt(readyAt, info)
	if deadline := int64(info.DeadlineMillis); m.flags&flagRequest != 0 && (at == 0 || deadline < at) {
		at = deadline
	}
	return millisOf(at)
}

// reschedule lets a message be ready at another time, which may be now. Its time
// to live, which it may have begun, begins then, as a delayed one's does; a
// request's deadline stays, and it is not scheduled for that or later: nobody could
// answer it then.
func (s *State) reschedule(q *queue, place uint64, m message, at held, when int64) Verdict {
	if at == heldParked {
		return Verdict{Code: Invalid}
	}
	now := when <= s.clock.WallMillis
	if now && at != heldWaiting {
		return Verdict{}
	}
	expires := m.expires
	if !now || m.flags&flagScheduled != 0 {
		info, err := s.infoOf(m.index, m.position)
		if err != nil {
			s.fail(err)
			return Verdict{}
		}
		if m.flags&flagRequest != 0 && !now && when >= int64(info.DeadlineMillis) {
			return Verdict{Code: Invalid}
		}
		expires = q.livesFrom(max(when, s.clock.WallMillis), &m, info)
	}
	s.lift(q, place, &m, at)
	m.expires = expires
	if s.trace != nil {
		s.tell(TraceScheduled, q, m.index, m.position, nil, 0, "")
	}
	if now {
		s.putReady(q, place, m)
		return Verdict{}
	}
	m.at = millisOf(when)
	m.flags |= flagScheduled
	s.putWaiting(q, place, m)
	return Verdict{}
}

// moveTo puts a message into another queue, as new there but for its id, its
// age and, unless they are reset, its attempts.
func (s *State) moveTo(q *queue, c *Amend, place uint64, m message, at held) Verdict {
	name := c.To
	if name == "" {
		d := m.death()
		if d == nil || d.Queue == q.name {
			return Verdict{Code: Invalid}
		}
		name = d.Queue
	}
	to := s.queueNamed(name)
	if to == nil {
		return Verdict{Code: NotFound}
	}
	info, err := s.infoOf(m.index, m.position)
	if err != nil {
		s.fail(err)
		return Verdict{}
	}
	if !to.holds(m.size) {
		return Verdict{Code: TooLarge}
	}
	if full := to.fits(m.size); full != CauseNone {
		return Verdict{Code: Busy, Cause: full, RetryAfterMillis: RetryFullMillis}
	}
	if cause := s.lineCause(to, info, nil); cause != CauseNone {
		return Verdict{Code: Busy, Cause: cause, RetryAfterMillis: RetryFullMillis}
	}
	s.lift(q, place, &m, at)
	s.left(q, &m)
	s.settleRequest(&m, DeadLettered)
	m.undead(q)
	if c.Reset {
		m.reset()
	}
	m.lastToken, m.lastEnd, m.at, m.flags = 0, CauseNone, millis{}, m.flags&flagAlone
	m.expires = millisOf(to.expiresAt(s.clock.WallMillis, info))
	s.enter(to, m, info)
	if s.trace != nil {
		s.tell(TraceMoved, q, m.index, m.position, nil, 0, to.name)
	}
	return Verdict{}
}
