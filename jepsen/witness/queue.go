package witness

import (
	"cmp"
	"container/heap"
	"slices"
	"strings"

	"github.com/ferrymq/ferrymq/jepsen/history"
)

const (
	queuesMax       = 16384
	queueNameMax    = 196
	deadLetterEnd   = ".dlq"
	failuresDefault = 10
	failuresNever   = -1
	leaseDefault    = 60_000
	leaseMin        = 1_000
	leaseMax        = 86_400_000
	parkedMoveMax   = 4096 // parked messages moved in one entry
)

// queue is one incarnation of a name.
type queue struct {
	name        string
	incarnation uint64
	settings    history.Settings // defaults filled in
	paused      bool
	deadLetters *queue // nil: it is a dead-letter queue
	source      *queue // of a dead-letter queue
	gone        bool
	watched     bool // its counts over time are wanted

	places   uint64
	messages map[uint64]*message // by place, whatever their state
	line     []*message          // never leased, in order
	returned places              // ready again, by place
	parked   places
	leased   int

	bytes, leasedBytes             uint64
	published, acked, dead, purged uint64

	members   []*consumer // in the order of their coming
	turns     uint64
	hungry    []*consumer // that have room, by turn
	touchedAt uint64
	notedAt   uint64
}

// places is a heap of messages by place.
type places []*message

func (h places) Len() int           { return len(h) }
func (h places) Less(i, j int) bool { return h[i].place < h[j].place }
func (h places) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *places) Push(x any)        { *h = append(*h, x.(*message)) }
func (h *places) Pop() any {
	n := len(*h) - 1
	x := (*h)[n]
	(*h)[n] = nil
	*h = (*h)[:n]
	return x
}

func (q *queue) ready() int { return len(q.line) + len(q.returned) }

func (q *queue) fits(messages, bytes uint64) (cause string) {
	if limit := q.settings.MaxMessages; limit > 0 && uint64(len(q.messages))+messages > limit {
		return causeMessages
	}
	if limit := q.settings.MaxBytes; limit > 0 && q.bytes+bytes > limit {
		return causeBytes
	}
	return ""
}

// front is the ready message with the lowest place; pop takes it.
func (q *queue) front() *message {
	switch {
	case len(q.returned) > 0 && (len(q.line) == 0 || q.returned[0].place < q.line[0].place):
		return q.returned[0]
	case len(q.line) > 0:
		return q.line[0]
	}
	return nil
}

func (q *queue) pop() {
	if len(q.returned) > 0 && (len(q.line) == 0 || q.returned[0].place < q.line[0].place) {
		heap.Pop(&q.returned)
		return
	}
	q.line[0] = nil
	q.line = q.line[1:]
}

// --- Administration.

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
	t := history.Settings{}
	if s != nil {
		t = *s
	}
	if t.FailureLimit < failuresNever || t.LeaseMillis != 0 && (t.LeaseMillis < leaseMin || t.LeaseMillis > leaseMax) {
		return t, false
	}
	t.FailureLimit = cmp.Or(t.FailureLimit, failuresDefault)
	t.LeaseMillis = cmp.Or(t.LeaseMillis, leaseDefault)
	return t, true
}

func ofDeadLetters(t history.Settings) history.Settings {
	return history.Settings{MaxMessages: t.DLQMessages, MaxBytes: t.DLQBytes,
		FailureLimit: failuresNever, LeaseMillis: t.LeaseMillis}
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

// --- Counts over time.

// counted is the counts of a name after an entry; no queue: it did not exist.
type counted struct {
	index uint64
	queue *history.Queue
}

// changed notes that the counts of a queue are about to change.
func (m *model) changed(q *queue) {
	if q.watched && q.notedAt != m.index {
		q.notedAt = m.index
		m.dirty = append(m.dirty, q)
	}
}

// note takes down the counts that the entry changed. A name that was deleted
// and made anew in one entry is there.
func (m *model) note() {
	for _, q := range m.dirty {
		var now *history.Queue
		if q := m.names[q.name]; q != nil {
			counts := q.counts()
			now = &counts
		}
		m.watch[q.name] = append(m.watch[q.name], counted{m.index, now})
	}
}

func (q *queue) counts() history.Queue {
	return history.Queue{Name: q.name, Incarnation: q.incarnation, Ready: uint64(q.ready()),
		Leased: uint64(q.leased), Parked: uint64(len(q.parked)), Published: q.published, Acked: q.acked,
		Dead: q.dead, Purged: q.purged}
}
