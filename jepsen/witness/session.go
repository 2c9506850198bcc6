package witness

import (
	"slices"

	"github.com/ferrymq/ferrymq/jepsen/history"
)

const (
	sessionsMax       = 32768
	idleMillisDefault = 3_600_000
	idleMillisMin     = 1_000
	idleMillisMax     = 7 * 86_400_000
	graceMillis       = 5_000  // its connection broke
	graceNodeMillis   = 30_000 // its node, or the leader, was lost
	tokensHeldMax     = 65536
	nodeNameMax       = 255
	endNow            = -1 // a deadline before every clock
)

// session is a client's identity. A detached one is handed nothing, its leases
// do not run out, and it loses them when its grace is over.
type session struct {
	serial uint64
	id     string
	idle   int64

	epoch    uint64
	attached bool
	node     string
	ending   bool
	graceAt  int64 // 0: no grace runs
	idleAt   int64

	judged, answered, lastOrdered uint64
	kept                          []kept
	keptItems                     int

	consumers []*consumer // by number
	gone      bool
}

func (x *session) consumer(number uint32) *consumer {
	if i, ok := x.find(number); ok {
		return x.consumers[i]
	}
	return nil
}

func (x *session) find(number uint32) (int, bool) {
	return slices.BinarySearchFunc(x.consumers, number, func(c *consumer, n uint32) int {
		return int(int64(c.number) - int64(n))
	})
}

func (m *model) open(c *history.Command) {
	idle := int64(c.IdleMillis)
	if idle == 0 {
		idle = idleMillisDefault
	}
	if idle < idleMillisMin || idle > idleMillisMax || m.sessions[c.Session] != nil || len(m.roster) >= sessionsMax {
		return
	}
	x := &session{serial: m.serial(), id: c.Session, idle: idle}
	m.sessions[c.Session] = x
	m.roster = append(m.roster, x)
	m.idleAt(x, m.lease+idle)
}

func (m *model) attach(c *history.Command) {
	x := m.sessions[c.Session]
	if x == nil || c.Epoch < x.epoch || c.Epoch == 0 || c.Node == "" || len(c.Node) > nodeNameMax ||
		len(c.Tokens) > tokensHeldMax || !slices.IsSorted(c.Tokens) {
		return
	}
	x.epoch, x.node, x.attached = c.Epoch, c.Node, true
	m.graceAt(x, 0)
	m.idleAt(x, 0)
	for _, k := range x.consumers {
		m.wake(k)
	}
}

// wake lets a consumer take part again. What it holds is good for at least
// half of its lease, and what it was given without acks counts as taken.
func (m *model) wake(k *consumer) {
	k.live = true
	k.taken, k.sizes = k.assigned, nil
	if k.noAck {
		k.heldBytes = 0
	}
	earliest := int64(0)
	for _, msg := range k.held {
		msg.deadline = max(msg.deadline, m.lease+int64(msg.millis/2))
		if earliest == 0 || msg.deadline < earliest {
			earliest = msg.deadline
		}
	}
	m.leaseAt(k, earliest)
	m.offer(k)
	m.touch(k.queue)
}

func (m *model) detach(c *history.Command) {
	x := m.sessions[c.Session]
	if x == nil || c.Epoch != x.epoch || !x.attached || x.node != c.Node {
		return
	}
	if c.Cause == "node" {
		m.suspend(x, graceNodeMillis)
		return
	}
	m.suspend(x, graceMillis)
}

func (m *model) detachAll(which func(*session) bool) {
	for _, x := range m.roster {
		if x.attached && which(x) {
			m.suspend(x, graceNodeMillis)
		}
	}
}

func (m *model) suspend(x *session, grace int64) {
	m.silence(x)
	for _, k := range x.consumers {
		if len(k.held) > 0 {
			m.graceAt(x, m.lease+grace)
			break
		}
	}
	m.idleAt(x, m.lease+max(grace, x.idle))
}

func (m *model) silence(x *session) {
	x.attached, x.node = false, ""
	for _, k := range x.consumers {
		k.live = false
		m.letGo(k)
		m.leaseAt(k, 0)
		m.offer(k)
	}
}

func (m *model) end(c *history.Command) {
	if x := m.sessions[c.Session]; x != nil && x.epoch == c.Epoch {
		m.retire(x)
	}
}

// retire gives a session up: its id is free at once, the rest goes with what
// runs out in this entry.
func (m *model) retire(x *session) {
	m.silence(x)
	x.ending = true
	x.kept, x.keptItems = nil, 0
	delete(m.sessions, x.id)
	m.graceAt(x, 0)
	m.idleAt(x, endNow)
}
