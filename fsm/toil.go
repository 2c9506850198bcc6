package fsm

// toil is what a command may ask for in plenty. Each has a bound of its own, but
// an entry has many commands, and while it is applied all replicas stand still.
// So an entry does one of each kind whatever it takes, and more of them as far
// as its bound goes; the rest is refused, and comes to an entry after it.
type toil uint8

const (
	toilLines  toil = iota // lines of queues that are looked at, for new settings or at a purge, and tenants
	toilFanOut             // messages that are put into subscriptions
	toilHeld               // consumers that attached sessions find, and their leases
	toils
)

// affordsToil books so much of a kind, unless the entry has done enough.
func (s *State) affordsToil(kind toil, n int) bool {
	most := [toils]int{toilLines: s.bounds.Lines, toilFanOut: s.bounds.FanOut, toilHeld: s.bounds.Held}[kind]
	done := &s.work.toil[kind]
	if n > 0 && *done > 0 && *done+n > most {
		return false
	}
	*done += n
	return true
}

// fanOutLeft is how many messages an operation may put into subscriptions.
func (s *State) fanOutLeft() int {
	done := s.work.toil[toilFanOut]
	if done == 0 {
		return MaxFanOut
	}
	return min(MaxFanOut, max(0, s.bounds.FanOut-done))
}

// enough refuses what the entry does no more of.
func enough() Result {
	return Result{Code: Busy, Cause: CauseEntry, RetryAfterMillis: RetryEntryMillis}
}
