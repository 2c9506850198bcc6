package witness

import (
	"cmp"
	"slices"
	"strings"

	"github.com/ferrymq/ferrymq/jepsen/history"
)

const (
	queuesMax       = 262144
	queueNameMax    = 196
	deadLetterEnd   = ".dlq"
	failuresDefault = 10
	failuresNever   = -1
	leaseDefault    = 60_000
	leaseMin        = 1_000
	leaseMax        = 86_400_000
)

func nameIsGood(name string) bool {
	if name == "" || len(name) > queueNameMax || name[0] == '$' || strings.HasSuffix(name, deadLetterEnd) {
		return false
	}
	return plain(name)
}

func plain(name string) bool {
	for i := range len(name) {
		c := name[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '.' || c == '-') {
			return false
		}
	}
	return true
}

// filled puts the defaults in place.
func filled(s *history.Settings) (history.Settings, bool) {
	t := value(s)
	if t.FailureLimit < failuresNever || t.LeaseMillis != 0 && (t.LeaseMillis < leaseMin || t.LeaseMillis > leaseMax) {
		return t, false
	}
	t.FailureLimit = cmp.Or(t.FailureLimit, failuresDefault)
	t.LeaseMillis = cmp.Or(t.LeaseMillis, leaseDefault)
	return t, true
}

func ofDeadLetters(t history.Settings) history.Settings {
	return history.Settings{MaxMessages: t.DLQMessages, MaxBytes: t.DLQBytes,
		FailureLimit: failuresNever, LeaseMillis: t.LeaseMillis, Retry: retryImmediate}
}

func (m *model) create(_ *session, c *history.Command) (result, int) {
	settings, good := filled(c.Settings)
	q := m.names[c.Queue]
	switch {
	case !nameIsGood(c.Queue), !good:
		return refuse(codeInvalid), 1
	case q != nil && q.settings != settings:
		return refuse(codeConflict), 1
	case q != nil:
		return accept(q.incarnation), 1
	case len(m.queues)+2 > queuesMax:
		return refuseFor(codeBusy, causeSessions), 1
	}
	q = m.newQueue(c.Queue, settings)
	q.deadLetters = m.newQueue(c.Queue+deadLetterEnd, ofDeadLetters(settings))
	q.deadLetters.source = q
	return accept(q.incarnation), 1
}

func (m *model) newQueue(name string, settings history.Settings) *queue {
	m.incarnations++
	q := &queue{name: name, incarnation: m.incarnations, settings: settings, messages: map[uint64]*message{}}
	_, q.watched = m.watch[name]
	m.queues[q.incarnation], m.names[name] = q, q
	m.changed(q)
	return q
}

// owned is a queue that a user may change or delete.
func (m *model) owned(name string) (*queue, result) {
	q := m.names[name]
	switch {
	case q == nil:
		return nil, refuse(codeNotFound)
	case q.deadLetters == nil:
		return nil, refuse(codeInvalid)
	}
	return q, result{}
}

func (m *model) update(_ *session, c *history.Command) (result, int) {
	q, r := m.owned(c.Queue)
	if q == nil {
		return r, 1
	}
	settings, good := filled(c.Settings)
	if !good {
		return refuse(codeInvalid), 1
	}
	q.settings, q.deadLetters.settings = settings, ofDeadLetters(settings)
	return accept(q.incarnation), 1
}

func (m *model) remove(_ *session, c *history.Command) (result, int) {
	q, r := m.owned(c.Queue)
	if q == nil {
		return r, 1
	}
	n := uint64(len(q.messages) + len(q.deadLetters.messages))
	used := uint64(len(q.members) + len(q.deadLetters.members))
	switch {
	case c.IfEmpty && n > 0:
		return result{verdict: verdict{code: codeInUse}, value: n}, 1
	case c.IfUnused && used > 0:
		return result{verdict: verdict{code: codeInUse}, value: used}, 1
	}
	m.dissolve(q)
	m.dissolve(q.deadLetters)
	return accept(n), 1
}

func (m *model) dissolve(q *queue) {
	m.changed(q)
	for _, k := range slices.Clone(q.members) {
		m.dismiss(k)
	}
	q.gone = true
	delete(m.waiting, q.incarnation)
	delete(m.queues, q.incarnation)
	delete(m.names, q.name)
}

// purge removes what is not leased.
func (m *model) purge(_ *session, c *history.Command) (result, int) {
	q := m.names[c.Queue]
	if q == nil {
		return refuse(codeNotFound), 1
	}
	m.changed(q)
	n := uint64(len(q.messages) - q.leased)
	for place, msg := range q.messages {
		if msg.state != leased {
			delete(q.messages, place)
		}
	}
	for _, k := range slices.Clone(q.kept) {
		k.unkeep()
		m.offer(k)
	}
	q.line, q.returned, q.parked = nil, nil, nil
	delete(m.waiting, q.incarnation)
	q.bytes = q.leasedBytes
	q.purged += n
	return accept(n), 1
}

func (m *model) pause(_ *session, c *history.Command) (result, int) {
	q := m.names[c.Queue]
	if q == nil {
		return refuse(codeNotFound), 1
	}
	q.paused = c.Paused
	m.touch(q)
	return accept(0), 1
}
