package witness

import (
	"container/heap"
	"slices"

	"github.com/ferrymq/ferrymq/jepsen/history"
)

const (
	operationBytesMax = 1 << 20

	reasonFailures = "failures"
	reasonRejected = "rejected"
)

// state of a message that is in a queue.
type state uint8

const (
	waiting state = iota // for its first lease
	returned
	leased
	parked // dead, and its dead-letter queue has no room
)

// message in a queue. Its id is the place in the log where it was published;
// its place orders it in its queue, and is new in a dead-letter queue.
type message struct {
	queue    *queue
	index    uint64
	position uint32
	key      history.Key
	size     uint64
	place    uint64
	state    state

	attempts, failures uint32
	alone              bool   // begun when a consumer of it was lost
	dead               string // why it is in, or on the way to, a dead-letter queue
	lastToken          uint64 // of its last lease that ended, and why that did
	lastEnd            string

	// Of its lease.
	token    uint64
	holder   *consumer
	deadline int64
	millis   uint32
	extended bool
}

func (msg *message) id() history.Witness {
	return history.Witness{Index: msg.index, Position: msg.position}
}

// publish judges message by message; an ordered one is taken whole or not.
func (m *model) publish(_ *session, c *history.Command) (result, int) {
	q := m.names[c.Queue]
	sum := uint64(0)
	for _, size := range c.Sizes {
		sum += uint64(max(size, 0))
	}
	switch {
	case q == nil:
		return refuse(codeNotFound), 1
	case q.deadLetters == nil, len(c.Sizes) == 0:
		return refuse(codeInvalid), 1
	case len(c.Sizes) > itemsMax, sum > operationBytesMax:
		return refuse(codeTooLarge), 1
	case c.Ordered:
		return m.publishWhole(q, c, sum), len(c.Sizes)
	}
	verdicts := make([]verdict, len(c.Sizes))
	for i, size := range c.Sizes {
		if size < 0 {
			verdicts[i] = verdict{code: codeInvalid}
			continue
		}
		if q.within(1, uint64(size)) != "" { // if nothing else was there
			verdicts[i] = verdict{code: codeTooLarge}
			continue
		}
		if full := q.fits(1, uint64(size)); full != "" {
			verdicts[i] = verdict{codeBusy, full}
			continue
		}
		m.store(q, c, i)
		verdicts[i] = verdict{code: codeOK}
	}
	return combine(verdicts), len(verdicts)
}

func (m *model) publishWhole(q *queue, c *history.Command, sum uint64) result {
	if slices.Min(c.Sizes) < 0 {
		return refuse(codeInvalid)
	}
	if q.within(uint64(len(c.Sizes)), sum) != "" {
		return refuse(codeTooLarge)
	}
	if full := q.fits(uint64(len(c.Sizes)), sum); full != "" {
		return refuseFor(codeBusy, full)
	}
	for i := range c.Sizes {
		m.store(q, c, i)
	}
	return accept(0)
}

func (m *model) store(q *queue, c *history.Command, i int) {
	m.changed(q)
	q.places++
	msg := &message{queue: q, index: m.index, position: m.position + uint32(i), size: uint64(c.Sizes[i]), place: q.places}
	if key, err := history.ParseKey([]byte(c.Bodies[i])); err == nil {
		msg.key = key
	}
	q.messages[msg.place] = msg
	q.line = append(q.line, msg)
	q.bytes += msg.size
	q.published++
	m.touch(q)
	m.stored = append(m.stored, msg)
}

// outcome of a lease for its message.
type outcome uint8

const (
	toPlace outcome = iota // ready again, where it was
	toDone
	toDead
)

// ending says how a lease ends.
type ending struct {
	outcome outcome
	failed  bool
	crashed bool   // its consumer was lost while it had begun with it
	cause   string // what a late settle is told
	by      string // the settle that did it, "" for none
}

func (m *model) endLease(msg *message, e ending) {
	q, k := msg.queue, msg.holder
	m.changed(q)
	q.leased--
	q.leasedBytes -= msg.size
	if i, ok := k.holds(msg.token); ok {
		k.held = slices.Delete(k.held, i, i+1)
	}
	k.heldBytes -= msg.size
	g := &m.grants[msg.token]
	g.ended, g.by = m.index, e.by
	msg.lastToken, msg.lastEnd, msg.holder = msg.token, e.cause, nil
	if e.failed {
		msg.failures++
	}
	if e.crashed && q.deadLetters != nil {
		msg.alone = true
	}
	limit := q.settings.FailureLimit
	switch {
	case e.outcome == toDone:
		q.acked++
		m.leave(msg)
	case e.outcome == toDead:
		m.deadLetter(msg, reasonRejected)
	case e.failed && q.deadLetters != nil && limit > 0 && msg.failures >= uint32(limit):
		m.deadLetter(msg, reasonFailures)
	default:
		msg.state = returned
		heap.Push(&q.returned, msg)
	}
	m.touch(q)
	m.offer(k)
	m.finish(k)
}

// leave takes a message out of its queue for good.
func (m *model) leave(msg *message) {
	q := msg.queue
	delete(q.messages, msg.place)
	q.bytes -= msg.size
}
