package witness

import (
	"cmp"
	"slices"

	"github.com/ferrymq/ferrymq/jepsen/history"
)

const (
	creditDefault       = 32
	creditMax           = 4096
	creditBytesDefault  = 8 << 20
	creditBytesMax      = 1 << 30
	concurrencyDefault  = 1
	sessionConsumersMax = 256
	queueConsumersMax   = 1024
	sessionCreditMax    = 65536
)

// consumer is a session's interest in a queue.
type consumer struct {
	serial  uint64
	session *session
	queue   *queue
	number  uint32
	gone    bool

	credit, creditBytes, concurrency uint32
	leaseMillis                      uint32 // 0: the queue's
	noAck                            bool
	closing                          bool // it ends with its last settle
	live                             bool // its session is attached
	turn                             uint64

	kept      *message   // that it gets when it has settled what it holds
	held      []*message // by token, so in the order of delivery
	heldBytes uint64
	leaseAt   int64 // when its earliest lease may have run out

	assigned, taken uint64   // without acks
	sizes           []uint64 // of those assigned and not taken
}

func (k *consumer) begun(rank int, msg *message) bool {
	return rank < int(k.concurrency) || msg.extended
}

func (k *consumer) outstanding() int {
	if k.noAck {
		return len(k.sizes)
	}
	return len(k.held)
}

// hasRoom: what is larger than the whole credit goes to one who holds nothing.
func (k *consumer) hasRoom(size uint64) bool {
	n := k.outstanding()
	return n == 0 || n < int(k.credit) && k.heldBytes+size <= uint64(k.creditBytes)
}

func (k *consumer) holds(token uint64) (int, bool) {
	return slices.BinarySearchFunc(k.held, token, func(msg *message, t uint64) int { return cmp.Compare(msg.token, t) })
}

func (m *model) consume(x *session, c *history.Command) (result, int) {
	if c.CreditMessages > creditMax || c.CreditBytes > creditBytesMax || c.Concurrency > creditMax ||
		c.LeaseMillis != 0 && (c.LeaseMillis < leaseMin || c.LeaseMillis > leaseMax) {
		return refuse(codeInvalid), 1
	}
	k := &consumer{session: x, number: c.Consumer, noAck: c.NoAck, leaseMillis: c.LeaseMillis, live: x.attached,
		credit:      cmp.Or(c.CreditMessages, creditDefault),
		creditBytes: cmp.Or(c.CreditBytes, creditBytesDefault), concurrency: cmp.Or(c.Concurrency, concurrencyDefault)}
	i, exists := x.find(c.Consumer)
	if exists {
		return x.consumers[i].again(c.Queue, k), 1
	}
	if k.queue = m.names[c.Queue]; k.queue == nil {
		return refuse(codeNotFound), 1
	}
	credit := uint64(k.credit)
	for _, other := range x.consumers {
		credit += uint64(other.credit)
	}
	if len(x.consumers) >= sessionConsumersMax || len(k.queue.members) >= queueConsumersMax || credit > sessionCreditMax {
		return refuseFor(codeBusy, causeSessions), 1
	}
	k.serial = m.serial()
	x.consumers = slices.Insert(x.consumers, i, k)
	k.queue.members = append(k.queue.members, k)
	m.offer(k)
	m.touch(k.queue)
	return accept(k.queue.incarnation), 1
}

// again judges a number that is in use.
func (k *consumer) again(queue string, want *consumer) result {
	if k.closing || k.queue.name != queue || k.noAck != want.noAck || k.leaseMillis != want.leaseMillis ||
		k.credit != want.credit || k.creditBytes != want.creditBytes || k.concurrency != want.concurrency {
		return refuse(codeConflict)
	}
	return accept(k.queue.incarnation)
}

func (m *model) cancel(x *session, c *history.Command) (result, int) {
	k := x.consumer(c.Consumer)
	if k == nil {
		return refuse(codeNotFound), 1
	}
	k.closing = true
	m.letGo(k)
	if c.Return {
		m.endAll(k, causeSettled, false)
	}
	m.offer(k)
	m.finish(k)
	return accept(k.queue.incarnation), 1
}

// credit says how far a consumer without acks has taken what it was given.
func (m *model) credit(c *history.Command) {
	x := m.sessions[c.Session]
	if x == nil || x.epoch != c.Epoch {
		return
	}
	k := x.consumer(c.Consumer)
	if k == nil || !k.noAck || c.Through > k.assigned {
		return
	}
	for k.taken < c.Through {
		k.heldBytes -= k.sizes[0]
		k.sizes = k.sizes[1:]
		k.taken++
	}
	m.offer(k)
	m.touch(k.queue)
}

// endAll ends every lease of a consumer. With blame, what was begun fails.
func (m *model) endAll(k *consumer, cause string, blame bool) {
	all := slices.Clone(k.held)
	begun := make([]bool, len(all))
	for i, msg := range all {
		begun[i] = blame && k.begun(i, msg)
	}
	for i, msg := range all {
		m.endLease(msg, ending{failed: begun[i], crashed: begun[i], cause: cause})
	}
}

// finish lets a cancelled consumer go that holds nothing.
func (m *model) finish(k *consumer) {
	if k.closing && len(k.held) == 0 {
		m.dismiss(k)
	}
}

// dismiss takes a consumer out of its session and queue.
func (m *model) dismiss(k *consumer) {
	if k.gone {
		return
	}
	k.gone = true
	m.letGo(k)
	if i, ok := k.session.find(k.number); ok && k.session.consumers[i] == k {
		k.session.consumers = slices.Delete(k.session.consumers, i, i+1)
	}
	m.leaveRound(k)
	if i := slices.Index(k.queue.members, k); i >= 0 {
		k.queue.members = slices.Delete(k.queue.members, i, i+1)
	}
	m.leaseAt(k, 0)
}
