package fsm

// outcome of a lease for its message.
type outcome uint8

const (
	toPlace outcome = iota // ready again, at its original place
	toDone                 // settled for good
	toDead                 // to the dead-letter queue
	toBack                 // ready again, behind everything else
)

// ending says how a lease ends.
type ending struct {
	outcome    outcome
	failed     bool   // the message is blamed
	downstream bool   // it is not, but waits as if it were
	reset      bool   // what was tried is forgotten
	attempt    bool   // it is written into the message's history
	delay      uint32 // it waits this long instead
	cause      Cause  // what a late settle with this token is told
	crashed    bool   // with the session: who is blamed goes alone from now on
	lost       bool   // the holder may have begun, and does not say how it went
	note       string // for the history and the dead letter
	reason     Reason // of a nack; 0: it is none
}

// endLease ends a lease and sends its message where it belongs. No other
// place does, but for the deletion of a queue with everything in it.
func (s *State) endLease(q *queue, place uint64, e ending) {
	l, ok := q.leased.Delete(place)
	if !ok {
		s.failf("no lease at place %d of queue %d", place, q.incarnation)
		return
	}
	q.leasedBytes -= uint64(l.size)
	c := s.consumer(l.consumer)
	c.held.Delete(uint64(l.number))
	c.heldBytes -= uint64(l.size)
	c.alone = false
	s.offer(q, c) // first of all: its room may let a group go on

	if s.trace != nil {
		s.tellEnding(q, &l, c, &e)
	}
	s.freed(q, l.line)
	if e.outcome != toDone {
		s.letGoBehind(q, c, l.line)
	}
	m := l.rest()
	m.lastToken, m.lastEnd = l.token, e.cause
	counts := q.breaker == nil || s.heard(q, l.token, &e)
	blamed := e.failed && counts
	if blamed {
		m.failures++
	}
	q.suspect(&m, &e)
	if e.attempt {
		m.remember(s.attempt(&l, c, e.note))
	}
	switch {
	case e.outcome == toDone:
		q.acked++
		s.endMessage(q, &m, OK)
	case e.lost && m.flags&flagNoRetry != 0: // which is its answer
		q.expired++
		s.endMessage(q, &m, ResponderLost)
	case e.outcome == toBack:
		s.requeue(q, m, e.reset)
	case e.outcome == toDead:
		s.deadLetter(q, place, m, DeathRejected, e.note)
	case blamed && q.failuresUsed(m.failures), (e.failed || e.downstream) && m.flags&flagNoRetry != 0:
		s.deadLetter(q, place, m, DeathFailures, e.note)
	case q.condemned(&m):
		s.deadLetter(q, place, m, DeathGroup, e.note)
	default:
		s.tryAgain(q, place, m, e)
	}
	s.touch(q)
	s.finish(c)
}

// tryAgain lets a message wait for its next attempt, which may be now.
func (s *State) tryAgain(q *queue, place uint64, m message, e ending) {
	delay := int64(e.delay)
	if delay == 0 && (e.failed || e.downstream) {
		delay = q.settings.retryDelay(&m)
	}
	if delay == 0 {
		s.putReady(q, place, m)
		return
	}
	m.at = millisOf(s.clock.LeaseMillis + delay)
	s.putWaiting(q, place, m)
}

// failuresUsed tells whether that many failures are the queue's limit. A dead
// letter has nowhere to go: it is tried for ever.
func (q *queue) failuresUsed(failures uint32) bool {
	limit := q.settings.FailureLimit
	return q.deadLetter != 0 && limit > 0 && failures >= uint32(limit)
}
