package fsm

import (
	"cmp"

	"github.com/tidwall/btree"
)

// timerKind orders what is due at the same time. Each waits on one clock.
type timerKind uint8

const (
	timerLease   timerKind = 1 // a consumer's earliest lease may have run out
	timerGrace   timerKind = 2 // a detached session loses its leases
	timerIdle    timerKind = 3 // a detached session's record goes, or an ended one is taken apart
	timerQueue   timerKind = 4 // something of a queue waits on the lease clock
	timerDedup   timerKind = 5 // message ids of a queue or topic are to be forgotten
	timerBreaker timerKind = 6 // an open circuit breaker begins to probe
	timerRate    timerKind = 7 // a queue's rate has a token again
	timerWall    timerKind = 8 // something of a queue waits on the wall clock
	timerAsked   timerKind = 9 // a request is not answered any more
	timerKinds             = 10
)

// wall tells that a timer waits on the wall clock.
func (k timerKind) wall() bool { return k >= timerWall }

type timer struct {
	deadline int64
	kind     timerKind
	id       uint64 // serial of the consumer, session or request, incarnation of the queue or topic
}

// timers is the one index of deadlines, by clock. It is derived: each deadline
// is also a field of its consumer or session, or follows from its queue, so no
// snapshot holds it. A consumer has one timer for all its leases, set no later
// than the earliest and corrected when it fires, so that deliver and ack touch
// no timer. A queue has at most one on each clock, for the first of whatever
// waits in it, and one each for its breaker and its rate.
type timers struct {
	lease, onWall *btree.BTreeG[timer]
	count         [timerKinds]int
}

func newTimers() timers {
	less := func(a, b timer) bool {
		if a.deadline != b.deadline {
			return a.deadline < b.deadline
		}
		return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.id, b.id)) < 0
	}
	set := func() *btree.BTreeG[timer] { return btree.NewBTreeGOptions(less, btree.Options{NoLocks: true}) }
	return timers{lease: set(), onWall: set()}
}

func (t *timers) of(kind timerKind) *btree.BTreeG[timer] {
	if kind.wall() {
		return t.onWall
	}
	return t.lease
}

// move replaces the deadline at *at; 0 is none.
func (t *timers) move(kind timerKind, id uint64, at *int64, deadline int64) {
	if *at == deadline {
		return
	}
	set := t.of(kind)
	if *at != 0 {
		set.Delete(timer{*at, kind, id})
		t.count[kind]--
	}
	if deadline != 0 {
		set.Set(timer{deadline, kind, id})
		t.count[kind]++
	}
	*at = deadline
}

// Deadline is when the state next wants an entry, on each clock; 0 is never.
// At or before the state's own clock (it may be below zero) it is due now.
type Deadline struct {
	LeaseMillis int64
	WallMillis  int64
}

// NextDeadline is when the state next wants an entry, rounded up to 10 ms; not
// ok if nothing waits on either clock.
func (s *State) NextDeadline() (d Deadline, ok bool) {
	if s.junk.Len() > 0 || s.movable.Len() > 0 || s.doomed.Len() > 0 {
		d.LeaseMillis = dueNow(s.clock.LeaseMillis)
	} else if t, waits := s.timers.lease.Min(); waits {
		d.LeaseMillis = roundedDeadline(t.deadline, s.clock.LeaseMillis)
	}
	if t, waits := s.timers.onWall.Min(); waits {
		d.WallMillis = roundedDeadline(t.deadline, s.clock.WallMillis)
	}
	return d, d != Deadline{}
}

func roundedDeadline(deadline, clock int64) int64 {
	if deadline <= clock {
		return dueNow(clock)
	}
	return (deadline + deadlineStep - 1) / deadlineStep * deadlineStep
}

// dueNow is a deadline that the clock has reached. 0 would be none.
func dueNow(clock int64) int64 {
	if clock == 0 {
		return endNow
	}
	return clock
}

// NeedsClock tells whether a lease, a grace, a message id, a circuit breaker or
// something else of a queue waits on the lease clock. While it does, the leader proposes a clock entry when no
// other entry did for a while.
func (s *State) NeedsClock() bool {
	n := &s.timers.count
	return n[timerLease]+n[timerGrace]+n[timerQueue]+n[timerDedup]+n[timerBreaker]+n[timerRate] > 0
}
