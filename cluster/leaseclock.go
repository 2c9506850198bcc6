package cluster

import "time"

const (
	leaseStep    = 100 * time.Millisecond // how often the clock is stepped
	leaseStepMax = 200 * time.Millisecond // what one step may count at most
)

// leaseClock is the clock that leases run on: it moves only while a leader
// stamps entries, and a machine that was paused or suspended does not age
// leases, because no step counts for more than leaseStepMax.
//
// The zero value stands at 0 and does not move. Not safe for concurrent use.
type leaseClock struct {
	base    int64 // milliseconds: the state's lease clock when this leader's first entry was applied
	elapsed time.Duration
	stepped time.Time
}

// start begins a leadership.
func (c *leaseClock) start(base int64, now time.Time) {
	*c = leaseClock{base: base, stepped: now}
}

// step is called every leaseStep.
func (c *leaseClock) step(now time.Time) {
	c.elapsed = c.elapsedAt(now)
	c.stepped = now
}

// elapsedAt is the time that counts since start.
func (c *leaseClock) elapsedAt(now time.Time) time.Duration {
	if c.stepped.IsZero() {
		return 0
	}
	since := now.Sub(c.stepped) // monotonic: both come from time.Now
	return c.elapsed + min(max(since, 0), leaseStepMax)
}

// millis is what an entry proposed now is stamped with.
func (c *leaseClock) millis(now time.Time) int64 {
	return c.base + c.elapsedAt(now).Milliseconds()
}
