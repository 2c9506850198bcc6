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
	serial       uint64 // last one given to a session or consumer
	queues       map[string]*queue
	topics       map[string]*topic
	sessions     map[fsm.SessionID]*session
	incarnations map[uint64]*queue // every queue that ever was
	junk         []*heap           // oldest first
	bounds       fsm.Bounds

	// Of the entry at hand.
	effects  []fsm.Effect          // that the commands must have, in order
	late     []fsm.Effect          // that time must have, in any order
	answers  []fsm.Effect          // to requests, in any order
	position uint32                // the first that no command of this entry has
	ended    []*session            // given up in this entry
	dying    map[*queue][]*message // that time kills in this entry
	told     []fsm.TraceEvent      // in the entry at hand, by the machine
	inTail   bool                  // the commands are done

	toil toil

	spentElse, spentLossy int       // see crowded.go
	crowded               []crowded // queues, in the order in which they were found
	toTopic               bool      // the message at hand goes to one
	attempting            bool      // what is all or nothing
	short                 *crowded  // what refuses that
	full                  *queue    // that refuses it for a limit, and makes no room
}

// New makes the model of an empty group.
func New(group uint32, bounds fsm.Bounds) *Model {
	return &Model{
		group: group, version: fsm.VersionCurrent, queues: map[string]*queue{}, topics: map[string]*topic{},
		sessions: map[fsm.SessionID]*session{}, incarnations: map[uint64]*queue{}, bounds: bounds,
	}
}

type status uint8

const (
	nowhere   = status(0)
	ready     = status(fsm.Ready)
	leased    = status(fsm.Leased)
	parked    = status(fsm.Parked)
	scheduled = status(fsm.Scheduled)
	retrying  = status(fsm.Retrying)
)

// message in a queue. One that left its queue is in no list any more.
type message struct {
	id       fsm.ID
	place    uint64
	draft    Draft
	line     *line
	entered  int64 // wall clock
	status   status
	at       int64 // scheduled: wall clock; retrying: lease clock
	expires  int64 // wall clock; 0: never
	attempts uint32
	failures uint32

	history   []fsm.Attempt
	forgotten uint32
	death     *fsm.Death

	alone    bool      // blamed for a crash
	reserved *consumer // ready, and kept for this one
	request  bool      // it was published as a request
	noRetry  bool      // and is not tried again

	// While it is leased.
	holder   *consumer
	token    uint64
	deadline int64
	length   int64
	extended bool
	probe    uint64 // round of the breaker that it is a probe of

	last    uint64 // token of the last lease that ended
	lastEnd fsm.Cause
}

func (msg *message) size() uint64 { return msg.draft.Size }

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
	lines       []*line
	places      uint64 // highest one given
	consumers   []*consumer
	round       []*consumer // those that can take a message, next one first

	active   *consumer // of an exclusive queue
	guard    map[string]int32
	ring     []*turn // of a fair queue
	weights  map[string]uint32
	breaker  *breaker
	recalled []uint64 // tokens of leases that an operator ended
	bucket   bucket
	window   window
	subject  *subscription // nil: it is none
	crowded  bool          // in this entry
	arrived  amount        // in the attempt at hand
	settled  amount        // by acks in it
	gaveWay  bool          // see givesWay
	lasting  []*line       // nil: there is no attempt; see counted
	met      []string      // tenants of the messages that came in it

	published, acked, dead, purged         uint64
	expired, overflowed, missed, duplicate uint64
	dropped                                uint64 // taken away, and in none of the counters above
}

// session is a client's record.
type session struct {
	id        fsm.SessionID
	serial    uint64
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
	requests  map[uint64]*request
}

// consumer holds unsettled messages in the order of their delivery.
type consumer struct {
	session  *session
	number   uint32
	serial   uint64
	queue    *queue
	asked    fsm.Consume // as it was made, defaults filled in
	held     []*message
	armed    int64 // when its leases are looked at next; 0: not
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
		n += m.size()
	}
	return n
}

// remove takes a message out of its queue for good.
func (q *queue) remove(m *message) {
	q.messages = slices.DeleteFunc(q.messages, func(x *message) bool { return x == m })
	q.prune()
	q.survey()
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
	m.line = q.lineOf(m.draft)
	q.messages = append(q.messages, m)
	q.published++
	q.survey()
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
	return q.published == uint64(len(q.messages))+q.acked+q.dead+q.purged+q.dropped
}

func (c *consumer) heldBytes() (n uint64) {
	for _, m := range c.held {
		n += m.size()
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

// sessionList, queueList and consumerList are in a fixed order, so that the
// model itself depends on no map's order.
func (m *Model) sessionList() []*session {
	var all []*session
	for _, s := range m.sessions {
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b *session) int { return int(a.serial) - int(b.serial) })
	return all
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

func (s *session) consumerList() []*consumer {
	var all []*consumer
	for _, c := range s.consumers {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b *consumer) int { return int(a.number) - int(b.number) })
	return all
}

func (m *Model) nextSerial() uint64 {
	m.serial++
	return m.serial
}
