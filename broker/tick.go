package broker

import (
	"time"

	"github.com/ferrymq/ferrymq/fsm"
)

const (
	// tickMin is how long the runner sleeps at least before a deadline that is
	// not reached: a clock that stands still must not have it spin.
	tickMin = 5 * time.Millisecond
	// wallLook is how often it looks at a deadline on the wall clock, which may
	// be set, and is judged anew whenever other nodes tell theirs.
	wallLook = time.Second
	// tickBurst ticks in a row may leave something due: so many messages may be
	// due at the same moment, and an entry does only so much.
	tickBurst = 256
	tickIdle  = 20 * time.Millisecond // between ticks after those
	clockAge  = 10 * time.Second      // a clock entry is due when no entry came for this long
)

// clockState is what a lane knows about the time that its state waits for.
type clockState struct {
	at        fsm.Clock    // the state's, when this was known
	deadline  fsm.Deadline // the next
	due       bool         // there is a deadline
	needs     bool         // a lease, grace or retry waits: the clock must not stand still
	lastEntry int64        // broker time of the last entry
	stuck     int          // ticks in a row that left something due
	notBefore int64        // broker time of the next tick at the earliest
}

// clockUnknown is the state of a new leader, which has to look.
var clockUnknown = clockState{due: true, deadline: fsm.Deadline{LeaseMillis: -1}}

// tickWait says how long until an entry is needed only because of time. The
// caller holds l.mu.
func (l *lane) tickWait(now int64) time.Duration {
	wait := idleWake
	if l.clock.due {
		left := timeLeft(l.clock.deadline, l.group.Now())
		if left <= 0 {
			return max(0, time.Duration(l.clock.notBefore-now))
		}
		wait = min(wait, max(left, tickMin))
	}
	if l.clock.needs {
		left := time.Duration(l.clock.lastEntry-now) + clockAge
		if left <= 0 {
			return 0
		}
		wait = min(wait, left)
	}
	return wait
}

// timeLeft is how long until the first of a state's deadlines is reached, on
// the clocks that its next entry would carry, or until they are to be looked
// at again.
func timeLeft(d fsm.Deadline, now fsm.Clock) time.Duration {
	left := idleWake.Milliseconds()
	if d.LeaseMillis != 0 {
		left = min(left, d.LeaseMillis-now.LeaseMillis)
	}
	if d.WallMillis != 0 {
		left = min(left, d.WallMillis-now.WallMillis, wallLook.Milliseconds())
	}
	return time.Duration(left) * time.Millisecond
}

// take replaces what is known by what holds after an entry: a tick, or one
// with commands. The caller holds l.mu.
func (c *clockState) take(next clockState, tick bool, now int64) {
	next.lastEntry, next.stuck = c.lastEntry, c.stuck
	switch {
	case !next.reached():
		next.stuck = 0
	case tick:
		next.stuck++
	}
	if next.stuck >= tickBurst {
		next.notBefore = now + int64(tickIdle)
	}
	*c = next
}

// reached says whether a deadline is due by the state's own clock: the entry
// did as much as one does.
func (c *clockState) reached() bool {
	d := c.deadline
	return d.LeaseMillis != 0 && d.LeaseMillis <= c.at.LeaseMillis || d.WallMillis != 0 && d.WallMillis <= c.at.WallMillis
}

// lateness tells, for each clock, how long after a deadline the entry was
// applied that reached it. Deadlines that were due before it are not told
// again. At are the state's clocks after it, now those that an entry would
// carry now.
func (c *clockState) lateness(at, now fsm.Clock, observe func(clock string, late time.Duration)) {
	for _, x := range []struct {
		name                      string
		deadline, before, at, now int64
	}{
		{"lease", c.deadline.LeaseMillis, c.at.LeaseMillis, at.LeaseMillis, now.LeaseMillis},
		{"wall", c.deadline.WallMillis, c.at.WallMillis, at.WallMillis, now.WallMillis},
	} {
		if x.deadline > x.before && x.deadline <= x.at {
			observe(x.name, time.Duration(max(0, x.now-x.deadline))*time.Millisecond)
		}
	}
}
