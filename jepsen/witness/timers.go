package witness

import (
	"cmp"
	"container/heap"
)

// Kinds of deadlines, in the order in which those of one moment are kept.
const (
	timerLease = 1 // a consumer's earliest lease may have run out
	timerGrace = 2 // a detached session loses its leases
	timerIdle  = 3 // a session goes
)

// endedMax is how many leases end by time in one entry, but for those of one
// consumer, which end together.
const endedMax = 4096

// timer is a deadline. It holds only while its owner still has it.
type timer struct {
	deadline int64
	kind     int
	serial   uint64
	consumer *consumer
	session  *session
}

func (t *timer) holds() bool {
	switch t.kind {
	case timerLease:
		return t.consumer.leaseAt == t.deadline
	case timerGrace:
		return t.session.graceAt == t.deadline
	}
	return t.session.idleAt == t.deadline
}

// timers is a heap, with deadlines in it that hold no more.
type timers []timer

func (h timers) Len() int { return len(h) }
func (h timers) Less(i, j int) bool {
	a, b := &h[i], &h[j]
	return cmp.Or(cmp.Compare(a.deadline, b.deadline), cmp.Compare(a.kind, b.kind), cmp.Compare(a.serial, b.serial)) < 0
}
func (h timers) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *timers) Push(x any)   { *h = append(*h, x.(timer)) }
func (h *timers) Pop() any {
	n := len(*h) - 1
	t := (*h)[n]
	(*h)[n] = timer{}
	*h = (*h)[:n]
	return t
}

func (m *model) leaseAt(k *consumer, deadline int64) {
	m.move(&k.leaseAt, timer{deadline: deadline, kind: timerLease, serial: k.serial, consumer: k})
}

func (m *model) graceAt(x *session, deadline int64) {
	m.move(&x.graceAt, timer{deadline: deadline, kind: timerGrace, serial: x.serial, session: x})
}

func (m *model) idleAt(x *session, deadline int64) {
	m.move(&x.idleAt, timer{deadline: deadline, kind: timerIdle, serial: x.serial, session: x})
}

// move replaces the deadline at *at; 0 is none.
func (m *model) move(at *int64, t timer) {
	if *at == t.deadline {
		return
	}
	*at = t.deadline
	if t.deadline != 0 {
		heap.Push(&m.timers, t)
	}
}

// expire does what is due, until this entry has done enough.
func (m *model) expire() {
	for m.ended < endedMax && len(m.timers) > 0 {
		t := m.timers[0]
		switch {
		case !t.holds():
			heap.Pop(&m.timers)
			continue
		case t.deadline > m.lease:
			return
		}
		done := false
		switch t.kind {
		case timerLease:
			done = m.expireLeases(t.consumer)
		case timerGrace:
			done = m.endGrace(t.session)
		case timerIdle:
			done = m.endSession(t.session)
		}
		if !done {
			return
		}
	}
}

// affords books leases that end by time.
func (m *model) affords(n int) bool {
	if m.ended > 0 && m.ended+n > endedMax {
		return false
	}
	m.ended += n
	return true
}

// expireLeases ends the leases of a consumer that ran out. Work on the oldest,
// as many as it has handlers, is taken to have begun.
func (m *model) expireLeases(k *consumer) bool {
	var out []*message
	var begun []bool
	earliest := int64(0)
	for i, msg := range k.held {
		if msg.deadline <= m.lease {
			out, begun = append(out, msg), append(begun, k.begun(i, msg))
			continue
		}
		if earliest == 0 || msg.deadline < earliest {
			earliest = msg.deadline
		}
	}
	if !m.affords(max(1, len(out))) {
		return false
	}
	m.leaseAt(k, earliest)
	for i, msg := range out {
		m.endLease(msg, ending{failed: begun[i], cause: causeExpired})
	}
	return true
}

// endGrace blames what was begun; the rest returns uncounted.
func (m *model) endGrace(x *session) bool {
	for _, k := range append([]*consumer(nil), x.consumers...) {
		if len(k.held) == 0 {
			continue
		}
		if !m.affords(len(k.held)) {
			return false
		}
		m.endAll(k, causeSessionEnded, true)
	}
	m.ended++
	m.graceAt(x, 0)
	return true
}

// endSession takes a session apart.
func (m *model) endSession(x *session) bool {
	if !x.ending {
		m.retire(x)
	}
	for _, k := range append([]*consumer(nil), x.consumers...) {
		if !m.affords(1 + len(k.held)) {
			return false
		}
		m.endAll(k, causeSessionEnded, false)
		m.dismiss(k)
	}
	m.ended++
	m.idleAt(x, 0)
	x.gone = true
	for i, y := range m.roster {
		if y == x {
			m.roster = append(m.roster[:i], m.roster[i+1:]...)
			break
		}
	}
	return true
}
