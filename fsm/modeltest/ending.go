package modeltest

import (
	"slices"

	"github.com/ferrymq/ferrymq/fsm"
)

// ending says how a lease ends.
type ending struct {
	why     fsm.Cause // what a late settle with its token is told
	to      whither
	failed  bool    // the message is blamed
	tried   bool    // it goes into the message's history
	again   bool    // the next attempt is after a delay by the queue's policy
	delay   int64   // or after this one; 0: none was asked for
	outcome outcome // for the breaker
	lost    bool    // the responder of a request is gone
	reset   bool    // what was tried is forgotten
	spared  bool    // its failure does not count
	crash   bool    // the consumer went while it had begun with the message
	note    string
}

// whither a message goes when its lease ends.
type whither uint8

const (
	back   whither = iota // ready again, now or later
	done                  // settled for good
	dead                  // to the dead-letter queue
	behind                // ready again, behind everything else
)

// endLease ends a lease and puts the message where it belongs.
func (m *Model) endLease(msg *message, e ending) {
	c := msg.holder
	q := c.queue
	attempt := fsm.Attempt{AtMillis: m.clock.WallMillis, Session: c.session.id, Consumer: c.number, Token: msg.token, Error: cut(e.note)}
	probe := msg.probe
	c.drop(msg)
	m.offer(c)
	if next := c.waits(); e.to != done && next != nil && next.line == msg.line && msg.line.group != "" {
		m.unreserve(c)
	}
	msg.last, msg.lastEnd = msg.token, e.why
	msg.holder, msg.token, msg.extended, msg.probe = nil, 0, false, 0
	msg.status = ready
	e.spared = !m.heard(q, e.outcome, probe)
	if e.tried {
		msg.record(attempt)
	}
	if e.failed && !e.spared {
		msg.failures++
	}
	if e.crash {
		msg.alone = q.dlq != nil
	}
	m.dispose(q, msg, e)
	q.released(msg.line)
	m.finish(c)
}

func (m *Model) dispose(q *queue, msg *message, e ending) {
	switch {
	case e.to == done:
		q.acked++
		q.settled = amount{q.settled.messages + 1, q.settled.bytes + msg.size()}
		q.remove(msg)
		m.reply(msg, fsm.OK)
	case e.lost && msg.noRetry:
		q.expired++
		q.dropped++
		q.remove(msg)
		m.reply(msg, fsm.ResponderLost)
	case e.to == behind:
		m.requeue(q, msg, e.reset)
	case e.to == dead:
		q.headFailed(msg.line)
		m.die(q, msg, fsm.DeathRejected, e.note)
	case e.failed && !e.spared && q.failuresUsed(msg), e.tried && !e.lost && msg.noRetry:
		q.headFailed(msg.line)
		m.die(q, msg, fsm.DeathFailures, e.note)
	case msg.line.condemned:
		m.die(q, msg, fsm.DeathGroup, e.note)
	default:
		m.retry(q, msg, e)
	}
}

// failuresUsed tells whether a message failed as often as it may. A dead
// letter is tried for ever.
func (q *queue) failuresUsed(msg *message) bool {
	limit := q.settings.FailureLimit
	return q.dlq != nil && limit != fsm.UnlimitedFailures && msg.failures >= uint32(limit)
}

// record adds an attempt to the message's history.
func (msg *message) record(a fsm.Attempt) {
	msg.history = append(slices.Clone(msg.history), a)
	if over := len(msg.history) - fsm.MaxHistory; over > 0 {
		msg.history, msg.forgotten = msg.history[over:], msg.forgotten+uint32(over)
	}
}

func cut(text string) string { return text[:min(len(text), fsm.MaxErrorBytes)] }

// finish takes away a cancelled consumer that holds nothing.
func (m *Model) finish(c *consumer) {
	if c.closing && len(c.held) == 0 {
		m.forget(c)
	}
}
