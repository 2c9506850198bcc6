package fsm

import (
	"math"
	"slices"

	"github.com/tidwall/btree"

	"github.com/ferrymq/ferrymq/fsm/pages"
)

// consumer is a session's interest in one queue.
type consumer struct {
	gen            uint64
	serial         uint64
	session        uint64 // serial
	queue          uint64 // incarnation
	number         uint32 // the client's
	creditMessages uint32
	creditBytes    uint32
	concurrency    uint32
	leaseMillis    uint32 // 0: the queue's
	noAck          bool
	closing        bool   // cancelled: it ends with its last settle
	live           bool   // its session is attached
	turn           uint64 // in the queue's round, 0: not in it
	kept           uint64 // place of the message that it is kept for, see alone.go; 0: none
	alone          bool   // holds a message that has to be alone; derived

	held      pages.Map[uint64] // number of its lease to place, so in the order of delivery
	lent      uint32            // the last number; derived
	heldBytes uint64            // of held or, without acks, of sizes
	armedAt   int64             // its timer; 0: none

	// Lines of groups whose batch it has and may be given more of, by the size of
	// what is next in them, and the room they were last looked at with. Derived,
	// and never read through a pinned consumer.
	open btree.Map[uint64, struct{}]
	seen uint64

	assigned uint64   // without acks: number of the last assignment
	taken    uint64   // and how many of them were taken
	sizes    []uint32 // of those assigned and not taken; appended to, never written
}

// started tells whether work on a lease must be assumed to have begun: the
// oldest deliveries, as many as handlers run at once, and any that was extended.
func (c *consumer) started(rank uint32, l *lease) bool {
	return rank < c.concurrency || l.flags&flagExtended != 0
}

// outstanding is how much of the credit is used.
func (c *consumer) outstanding() int {
	if c.noAck {
		return len(c.sizes)
	}
	return c.held.Len()
}

// present tells whether a consumer may be handed messages, as far as it goes.
func (c *consumer) present() bool { return c.live && !c.closing }

// countPresent adds a consumer to those that are present, or takes it away; it is none of
// them otherwise.
func (q *queue) countPresent(c *consumer, n int) {
	if c.present() {
		q.present += n
	}
}

// hasRoom tells whether a message of this size is within the credit.
func (c *consumer) hasRoom(size uint32) bool { return uint64(size) < c.room() }

// room is the size from which on a message is not within the credit. One that
// is larger than the whole credit goes to a consumer that holds nothing.
func (c *consumer) room() uint64 {
	switch n := c.outstanding(); {
	case n == 0:
		return math.MaxUint32 + 1
	case n >= int(c.creditMessages), c.heldBytes > uint64(c.creditBytes):
		return 0
	}
	return uint64(c.creditBytes) - c.heldBytes + 1
}

// consume attaches a consumer.
func (s *State) consume(x *session, c *Consume) Result {
	if fault := consumeFault(c); fault != "" {
		return Result{Code: Invalid, Detail: fault}
	}
	want := consumer{
		gen: s.gen, session: x.serial, number: c.Consumer, noAck: c.NoAck, leaseMillis: c.LeaseMillis, live: x.attached,
		creditMessages: orDefault(c.CreditMessages, DefaultCreditMessages),
		creditBytes:    orDefault(c.CreditBytes, DefaultCreditBytes),
		concurrency:    orDefault(c.Concurrency, DefaultConcurrency),
	}
	i, exists := x.find(c.Consumer)
	if exists {
		return s.consumeAgain(x.consumers[i].serial, c.Queue, &want)
	}
	q := s.queueNamed(c.Queue)
	if q == nil && s.isTopic(c.Queue) {
		return Result{Code: NotFound, Detail: "it is a topic, of which subscriptions are consumed"}
	}
	if q == nil {
		return Result{Code: NotFound}
	}
	if len(x.consumers) >= MaxConsumersPerSession || q.members.Len() >= MaxConsumersPerQueue ||
		s.credit(x)+uint64(want.creditMessages) > MaxSessionCredit {
		return Result{Code: Busy, Cause: CauseSessions, RetryAfterMillis: RetryCountMillis}
	}
	want.serial, want.queue = s.nextSerial(), q.incarnation
	s.consumers.Set(want.serial, &want)
	x.consumers = slices.Insert(slices.Clone(x.consumers), i, member{c.Consumer, want.serial})
	q.members.Set(want.serial, struct{}{})
	q.countPresent(&want, 1)
	s.offer(q, &want)
	s.touch(q)
	return Result{Value: q.incarnation}
}

// consumeAgain judges a consumer number that is in use.
func (s *State) consumeAgain(serial uint64, name string, want *consumer) Result {
	have := s.consumer(serial)
	q, _ := s.queues.Get(have.queue)
	if have.closing || q.name != name || have.noAck != want.noAck || have.leaseMillis != want.leaseMillis ||
		have.creditMessages != want.creditMessages || have.creditBytes != want.creditBytes ||
		have.concurrency != want.concurrency {
		return Result{Code: Conflict, Detail: "the consumer's number is in use with other settings"}
	}
	return Result{Value: have.queue}
}

func consumeFault(c *Consume) string {
	switch {
	case c.CreditMessages > MaxCreditMessages:
		return "credit is more than 4096 messages"
	case c.CreditBytes > MaxCreditBytes:
		return "credit is more than 1 GiB"
	case c.Concurrency > MaxConcurrency:
		return "concurrency is more than 4096"
	}
	return leaseFault(c.LeaseMillis)
}

func leaseFault(millis uint32) string {
	if millis != 0 && (millis < MinLeaseMillis || millis > MaxLeaseMillis) {
		return "lease is not within 1 s and 24 h"
	}
	return ""
}

func orDefault(v, otherwise uint32) uint32 {
	if v == 0 {
		return otherwise
	}
	return v
}

// credit is the sum of a session's credit in messages.
func (s *State) credit(x *session) (n uint64) {
	for _, m := range x.consumers {
		c, _ := s.consumers.Get(m.serial)
		n += uint64(c.creditMessages)
	}
	return n
}

// cancel ends a consumer: at once, handing back what it holds uncounted, or
// with its last settle.
func (s *State) cancel(x *session, c *Cancel) Result {
	i, ok := x.find(c.Consumer)
	if !ok {
		return Result{Code: NotFound}
	}
	y := s.consumer(x.consumers[i].serial)
	q := s.queue(y.queue)
	q.countPresent(y, -1)
	y.closing = true
	s.letGo(q, y)
	s.yields(q)
	if c.Return {
		s.endAll(y, ending{cause: CauseSettled}, func(e *ending, started bool) { e.lost = started })
	}
	s.offer(q, y)
	s.finish(y)
	return Result{Value: y.queue}
}

// finish removes a cancelled consumer that holds nothing.
func (s *State) finish(c *consumer) {
	if !c.closing || c.held.Len() > 0 {
		return
	}
	if _, ok := s.consumers.Get(c.serial); ok {
		s.remove(s.session(c.session), c)
	}
}

// remove takes a consumer that holds nothing out of its session and queue.
func (s *State) remove(x *session, c *consumer) {
	if i, ok := x.find(c.number); ok && x.consumers[i].serial == c.serial {
		x.consumers = slices.Delete(slices.Clone(x.consumers), i, i+1)
	}
	if q := s.queue(c.queue); q != nil {
		s.letGo(q, c)
		s.yields(q)
		if c.turn != 0 {
			q.hungry.Delete(c.turn)
		}
		q.members.Delete(c.serial)
		q.countPresent(c, -1)
	}
	s.timers.move(timerLease, c.serial, &c.armedAt, 0)
	s.consumers.Delete(c.serial)
}

// closed tells an attached session that its consumer ended.
func (s *State) closed(x *session, number uint32, why Code) {
	s.emit(&Effect{Kind: EffectClosed, Code: why, Session: x.id, Epoch: x.epoch, Node: x.node, Consumer: number})
}

// give says how far a consumer without acks has taken its assignments.
func (s *State) give(c *Credit) Result {
	x, r := s.sessionAt(c.Session, c.Epoch)
	if x == nil {
		return r
	}
	i, ok := x.find(c.Consumer)
	if !ok {
		return Result{Code: NotFound}
	}
	y := s.consumer(x.consumers[i].serial)
	switch {
	case !y.noAck:
		return Result{Code: Invalid, Detail: "the consumer settles with acks"}
	case c.Through > y.assigned:
		return Result{Code: Invalid, Detail: "not assigned yet"}
	}
	for y.taken < c.Through {
		y.heldBytes -= uint64(y.sizes[0])
		y.sizes = y.sizes[1:]
		y.taken++
	}
	q := s.queue(y.queue)
	s.offer(q, y)
	s.touch(q)
	return Result{Value: y.taken}
}
