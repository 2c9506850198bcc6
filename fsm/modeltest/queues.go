package modeltest

import (
	"slices"
	"strings"

	"github.com/ferrymq/ferrymq/fsm"
)

func goodName(name string) bool {
	if name == "" || len(name) > fsm.MaxNameBytes || name[0] == '$' || strings.HasSuffix(name, fsm.DeadLetterSuffix) {
		return false
	}
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"
	return strings.Trim(name, letters) == ""
}

// settings fills defaults in and tells what is wrong.
func settings(s fsm.Settings) (fsm.Settings, fsm.Code) {
	if s.FailureLimit == 0 {
		s.FailureLimit = fsm.DefaultFailureLimit
	}
	fill(&s.LeaseMillis, fsm.DefaultLeaseMillis)
	fill(&s.RetryBaseMillis, fsm.DefaultRetryBaseMillis)
	fill(&s.RetryMaxMillis, fsm.DefaultRetryMaxMillis)
	fill(&s.RetryFactor, fsm.DefaultRetryFactor)
	switch {
	case s.Overflow > fsm.OverflowDropNew:
		return s, fsm.Invalid
	case s.FailureLimit < fsm.UnlimitedFailures,
		s.LeaseMillis < fsm.MinLeaseMillis || s.LeaseMillis > fsm.MaxLeaseMillis:
		return s, fsm.Invalid
	}
	return s, fsm.OK
}

// deadLetters are the settings of a queue's dead-letter queue.
func deadLetters(s fsm.Settings) fsm.Settings {
	return fsm.Settings{
		MaxMessages: s.DLQMessages, MaxBytes: s.DLQBytes,
		FailureLimit: fsm.UnlimitedFailures, LeaseMillis: s.LeaseMillis, Retry: fsm.RetryImmediate,
	}
}

func (m *Model) create(x *fsm.QueueCreate) Outcome {
	s, fault := settings(x.Settings)
	switch q := m.queues[x.Queue]; {
	case !goodName(x.Queue):
		return answer(fsm.Invalid)
	case fault != fsm.OK:
		return answer(fault)
	case q != nil && q.settings != s:
		return answer(fsm.Conflict)
	case q != nil:
		return Outcome{Code: fsm.OK, Value: q.incarnation}
	}
	q := m.newQueue(x.Queue, s)
	q.dlq = m.newQueue(x.Queue+fsm.DeadLetterSuffix, deadLetters(s))
	q.dlq.source = q
	return Outcome{Code: fsm.OK, Value: q.incarnation}
}

func (m *Model) newQueue(name string, s fsm.Settings) *queue {
	m.incarnation++
	q := &queue{name: name, incarnation: m.incarnation, settings: s}
	m.queues[name], m.incarnations[m.incarnation] = q, q
	return q
}

// find gives the queue that a user may change, or why not.
func (m *Model) find(name string) (*queue, fsm.Code) {
	q := m.queues[name]
	switch {
	case q == nil:
		return nil, fsm.NotFound
	case q.dlq == nil:
		return nil, fsm.Invalid
	}
	return q, fsm.OK
}

func (m *Model) update(x *fsm.QueueUpdate) Outcome {
	q, code := m.find(x.Queue)
	if q == nil {
		return answer(code)
	}
	s, fault := settings(x.Settings)
	if fault != fsm.OK {
		return answer(fault)
	}
	q.settings, q.dlq.settings = s, deadLetters(s)
	return Outcome{Code: fsm.OK, Value: q.incarnation}
}

func (m *Model) delete(x *fsm.QueueDelete) Outcome {
	q, code := m.find(x.Queue)
	if q == nil {
		return answer(code)
	}
	messages := uint64(len(q.messages) + len(q.dlq.messages))
	consumers := uint64(len(q.consumers) + len(q.dlq.consumers))
	switch {
	case x.IfEmpty && messages > 0:
		return Outcome{Code: fsm.InUse, Value: messages}
	case x.IfUnused && consumers > 0:
		return Outcome{Code: fsm.InUse, Value: consumers}
	}
	m.destroy(q)
	m.destroy(q.dlq)
	return Outcome{Code: fsm.OK, Value: messages}
}

// destroy takes a queue away with all that is in it, and tells its consumers.
func (m *Model) destroy(q *queue) {
	for _, c := range slices.Clone(q.consumers) {
		if c.session.attached() && !c.closing {
			m.effects = append(m.effects, c.closed(fsm.NotFound))
		}
		m.forget(c)
	}
	q.gone = true
	delete(m.queues, q.name)
}

// purge removes what is not leased.
func (m *Model) purge(x *fsm.QueuePurge) Outcome {
	q := m.queues[x.Queue]
	if q == nil {
		return answer(fsm.NotFound)
	}
	before := len(q.messages)
	q.messages = slices.DeleteFunc(q.messages, func(msg *message) bool { return msg.status != leased })
	purged := uint64(before - len(q.messages))
	q.purged += purged
	return Outcome{Code: fsm.OK, Value: purged}
}

func (m *Model) pause(x *fsm.QueuePause) Outcome {
	q := m.queues[x.Queue]
	if q == nil {
		return answer(fsm.NotFound)
	}
	q.paused = x.Paused
	return answer(fsm.OK)
}

// queueList is in the order in which queues were made.
func (m *Model) queueList() []*queue {
	var all []*queue
	for _, q := range m.queues {
		all = append(all, q)
	}
	slices.SortFunc(all, func(a, b *queue) int { return int(a.incarnation) - int(b.incarnation) })
	return all
}
