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

func (m *Model) create(x *fsm.QueueCreate) Outcome {
	s, fault := settings(x.Settings)
	switch q := m.queues[x.Queue]; {
	case !goodName(x.Queue):
		return answer(fsm.Invalid)
	case fault != fsm.OK:
		return answer(fault)
	case m.topics[x.Queue] != nil, q != nil && (q.settings != s || q.subject != nil):
		return answer(fsm.Conflict)
	case q != nil:
		return Outcome{Code: fsm.OK, Value: q.incarnation}
	}
	return Outcome{Code: fsm.OK, Value: m.newPair(x.Queue, s).incarnation}
}

// newPair makes a queue and its dead-letter queue.
func (m *Model) newPair(name string, s fsm.Settings) *queue {
	q := m.newQueue(name, s)
	q.dlq = m.newQueue(name+fsm.DeadLetterSuffix, deadLetters(s))
	q.dlq.source = q
	return q
}

func (m *Model) newQueue(name string, s fsm.Settings) *queue {
	m.incarnation++
	q := &queue{name: name, incarnation: m.incarnation, settings: s, guard: map[string]int32{}, weights: map[string]uint32{}}
	q.setBreaker()
	q.fullBucket(m.clock.LeaseMillis)
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
	if q.subject != nil {
		if !goodFor(s, q.subject.required) {
			return answer(fsm.Invalid)
		}
		s = fitted(s, q.subject.required)
	}
	if _, held := q.groups(); s.Fair != q.settings.Fair && (len(q.messages) > 0 || held > 0) {
		return answer(fsm.Conflict)
	}
	if q.reorders(s) && !affords(&m.toil.lines, q.otherLines(), m.bounds.Lines) {
		return busy(fsm.CauseEntry)
	}
	m.apply(q, s)
	return Outcome{Code: fsm.OK, Value: q.incarnation}
}

// apply new settings to a queue.
func (m *Model) apply(q *queue, s fsm.Settings) {
	q.fillBucket(m.clock.LeaseMillis)
	old := q.settings
	q.settings, q.dlq.settings = s, deadLetters(s)
	q.setBreaker()
	if old.Fair != s.Fair {
		q.weights = map[string]uint32{}
	}
	if old.DispatchRate != s.DispatchRate || old.DispatchBurst != s.DispatchBurst {
		q.fullBucket(m.clock.LeaseMillis)
	}
	if s.Exclusive && !old.Exclusive || old.GroupFailure == fsm.GroupSkip && s.GroupFailure != fsm.GroupSkip {
		for _, msg := range slices.Clone(q.messages) {
			m.letGo(msg)
		}
	}
	q.survey()
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
	m.destroy(q, "")
	m.destroy(q.dlq, "")
	return Outcome{Code: fsm.OK, Value: messages}
}

// destroy takes a queue away with all that is in it, and tells its consumers.
// It says what the queue went with, if that is anything.
func (m *Model) destroy(q *queue, with string) {
	m.discard(&heap{queue: q.name, kind: fsm.TraceQueueDeleted, with: with, messages: q.messages})
	for _, c := range slices.Clone(q.consumers) {
		if c.session.attached() && !c.closing {
			m.closed(c, fsm.NotFound)
		}
		m.forget(c)
	}
	q.gone, q.messages, q.lines = true, nil, nil
	delete(m.queues, q.name)
}

// purge removes what is not leased, and lets go of parked groups that then have
// no messages.
func (m *Model) purge(x *fsm.QueuePurge) Outcome {
	q := m.queues[x.Queue]
	if q == nil {
		return answer(fsm.NotFound)
	}
	switch {
	case len(q.messages) == q.leases() && !q.parksGroups():
		return answer(fsm.OK)
	case !affords(&m.toil.lines, q.linesKept(), m.bounds.Lines):
		return busy(fsm.CauseEntry)
	}
	h := &heap{queue: q.name, kind: fsm.TracePurged}
	for _, msg := range slices.Clone(q.messages) {
		if msg.status != leased {
			h.messages = append(h.messages, msg)
			m.takeAway(q, msg)
		}
	}
	q.emptied()
	purged := uint64(len(h.messages))
	m.discard(h)
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

func (q *queue) sortByPlace() {
	slices.SortFunc(q.messages, func(a, b *message) int { return int(a.place) - int(b.place) })
}
