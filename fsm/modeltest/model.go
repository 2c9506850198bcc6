package modeltest

import (
	"slices"

	"github.com/ferrymq/ferrymq/fsm"
)

// Model of a group.
type Model struct {
	group        uint32
	index        uint64
	clock        fsm.Clock
	version      fsm.Version
	token        uint64 // last one given
	incarnation  uint64 // highest one seen
	queues       map[string]*queue
	sessions     map[fsm.SessionID]*session
	incarnations map[uint64]*queue     // every queue that ever was
	effects      []fsm.Effect          // that the commands of this entry must have
	position     uint32                // the first that no message of this entry has
	ended        []*session            // given up in this entry
	dying        map[*queue][]*message // that time kills in this entry
	expiring     bool
}

// New makes the model of an empty group.
func New(group uint32) *Model {
	return &Model{
		group: group, version: fsm.VersionCurrent,
		queues: map[string]*queue{}, sessions: map[fsm.SessionID]*session{},
		incarnations: map[uint64]*queue{},
	}
}

type status uint8

const (
	ready  status = 1
	leased status = 2
	parked status = 3
)

// message in a queue. One that left its queue is in no list any more.
type message struct {
	id       fsm.ID
	place    uint64
	record   []byte
	size     uint64
	entered  int64 // wall clock
	status   status
	attempts uint32
	failures uint32
	death    *fsm.Death

	// While it is leased.
	holder   *consumer
	token    uint64
	deadline int64
	length   int64
	extended bool

	last    uint64 // token of the last lease that ended
	lastEnd fsm.Cause
}

// queue is one incarnation of a name; messages are in order of their places.
type queue struct {
	name        string
	incarnation uint64
	settings    fsm.Settings // defaults filled in
	paused      bool
	gone        bool
	dlq         *queue // nil: this is one
	source      *queue // of a dead-letter queue
	messages    []*message
	places      uint64 // highest one given
	first       uint64 // highest place that was delivered for the first time
	consumers   []*consumer

	published, acked, dead, purged uint64
}

// session is a client's record.
type session struct {
	id        fsm.SessionID
	secret    fsm.SecretHash
	principal string
	idle      int64
	epoch     uint64
	node      string // "": detached
	graceEnd  int64  // while detached, until it is over
	idleEnd   int64

	judged    uint64
	answered  uint64
	ordered   uint64 // last accepted operation that named its predecessor
	kept      map[uint64]kept
	keptItems int

	consumers map[uint32]*consumer
}

// consumer holds unsettled messages in the order of their delivery.
type consumer struct {
	session  *session
	number   uint32
	queue    *queue
	asked    fsm.Consume // as it was made, defaults filled in
	held     []*message
	assigned uint64
	taken    uint64
	untaken  []uint64 // sizes of what was assigned and not taken
	closing  bool
}

func (q *queue) count(s status) (n uint64) {
	for _, m := range q.messages {
		if m.status == s {
			n++
		}
	}
	return n
}

func (q *queue) bytes() (n uint64) {
	for _, m := range q.messages {
		n += m.size
	}
	return n
}

// remove takes a message out of its queue for good.
func (q *queue) remove(m *message) {
	q.messages = slices.DeleteFunc(q.messages, func(x *message) bool { return x == m })
}

func (q *queue) find(place uint64) *message {
	for _, m := range q.messages {
		if m.place == place {
			return m
		}
	}
	return nil
}

// add appends a message at the end of the queue.
func (q *queue) add(m *message) {
	q.places++
	m.place = q.places
	m.status = ready
	q.messages = append(q.messages, m)
	q.published++
}

// fits tells which limit one more message would break.
func (q *queue) fits(size uint64) fsm.Cause {
	switch s := q.settings; {
	case s.MaxMessages > 0 && uint64(len(q.messages))+1 > s.MaxMessages:
		return fsm.CauseMessages
	case s.MaxBytes > 0 && q.bytes()+size > s.MaxBytes:
		return fsm.CauseBytes
	}
	return fsm.CauseNone
}

// Conserved tells whether everything that entered the queue is accounted for.
func (q *queue) conserved() bool {
	return q.published == uint64(len(q.messages))+q.acked+q.dead+q.purged
}

func (c *consumer) heldBytes() (n uint64) {
	for _, m := range c.held {
		n += m.size
	}
	for _, size := range c.untaken {
		n += size
	}
	return n
}

// started tells whether the consumer's handlers have begun with a message: it
// is among the oldest of its unsettled ones, or its lease was extended.
func (c *consumer) started(m *message) bool {
	return m.extended || slices.Index(c.held, m) < int(c.asked.Concurrency)
}

func (c *consumer) drop(m *message) {
	c.held = slices.DeleteFunc(c.held, func(x *message) bool { return x == m })
}

func (s *session) attached() bool { return s.node != "" }

// ordered lists sessions, and consumers of one, in the order of their numbers,
// so that the model itself depends on no map's order.
func (m *Model) sessionList() []*session {
	var all []*session
	for _, s := range m.sessions {
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b *session) int { return slices.Compare(a.id[:], b.id[:]) })
	return all
}

func (s *session) consumerList() []*consumer {
	var all []*consumer
	for _, c := range s.consumers {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b *consumer) int { return int(a.number) - int(b.number) })
	return all
}
