package fsm

import (
	"cmp"

	"github.com/tidwall/btree"
)

// timerKind orders what is due at the same time.
type timerKind uint8

const (
	timerLease timerKind = 1 // a consumer's earliest lease may have run out
	timerGrace timerKind = 2 // a detached session loses its leases
	timerIdle  timerKind = 3 // a detached session's record goes, or an ended one is taken apart
	timerKinds           = 4
)

type timer struct {
	deadline int64 // lease clock
	kind     timerKind
	id       uint64 // serial of the consumer or session
}

// timers is the one index of deadlines. It is derived: each deadline is also
// a field of its consumer or session, so no snapshot holds it. A consumer has
// one timer for all its leases, set no later than the earliest and corrected
// when it fires, so that deliver and ack touch no timer.
type timers struct {
	set   *btree.BTreeG[timer]
	count [timerKinds]int
}

func newTimers() timers {
	less := func(a, b timer) bool {
		if a.deadline != b.deadline {
			return a.deadline < b.deadline
		}
		return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.id, b.id)) < 0
	}
	return timers{set: btree.NewBTreeGOptions(less, btree.Options{NoLocks: true})}
}

// move replaces the deadline at *at; 0 is none.
func (t *timers) move(kind timerKind, id uint64, at *int64, deadline int64) {
	if *at == deadline {
		return
	}
	if *at != 0 {
		t.set.Delete(timer{*at, kind, id})
		t.count[kind]--
	}
	if deadline != 0 {
		t.set.Set(timer{deadline, kind, id})
		t.count[kind]++
	}
	*at = deadline
}

// NextDeadline is when the state next wants an entry, on the lease clock and
// rounded up; a deadline at or before the state's own clock is due now.
func (s *State) NextDeadline() (leaseMillis int64, ok bool) {
	if s.junk.Len() > 0 || s.movable.Len() > 0 {
		return s.clock.LeaseMillis, true
	}
	t, ok := s.timers.set.Min()
	if !ok {
		return 0, false
	}
	if t.deadline <= s.clock.LeaseMillis {
		return s.clock.LeaseMillis, true
	}
	return (t.deadline + deadlineStep - 1) / deadlineStep * deadlineStep, true
}

// NeedsClock tells whether a lease or grace waits on the lease clock. While it
// does, the leader proposes a clock entry when no other entry did for a while.
func (s *State) NeedsClock() bool {
	return s.timers.count[timerLease] > 0 || s.timers.count[timerGrace] > 0
}
