package fsm

// retryDelay is how long a message waits before its next attempt, after so
// many failures.
func (t *Settings) retryDelay(m *message) int64 {
	n := int64(max(m.failures, 1))
	base, most := int64(t.RetryBaseMillis), int64(t.RetryMaxMillis)
	delay := base
	switch t.Retry {
	case RetryImmediate:
		return 0
	case RetryLinear:
		delay = base * n // 27 and 32 bits
	case RetryExponential:
		for i := int64(1); i < n && delay < most && t.RetryFactor > 1; i++ {
			delay *= int64(t.RetryFactor) // below most, so 27 and 32 bits
		}
	}
	delay = min(delay, most)
	return delay - m.spread(delay/4+1)
}

// spread is a number below n that differs from message to message and from
// attempt to attempt, so that what failed together is not tried together.
func (m *message) spread(n int64) int64 {
	hash := mix(mix(m.index) ^ uint64(m.position) ^ uint64(m.attempts)<<32)
	return int64(hash % uint64(n))
}

// remember adds an attempt without success to a message's history.
func (m *message) remember(a Attempt) {
	x := more{}
	if m.more != nil {
		x = *m.more
	}
	from := 0
	if len(x.history) == MaxHistory {
		from = 1
		x.forgotten++
	}
	x.history = append(append(make([]Attempt, 0, len(x.history)-from+1), x.history[from:]...), a)
	m.more = &x
}

// attempt is the lease that ends, for the history of its message.
func (s *State) attempt(l *lease, c *consumer, note string) Attempt {
	x, _ := s.sessions.Get(c.session)
	return Attempt{AtMillis: s.clock.WallMillis, Session: x.id, Consumer: c.number, Token: l.token, Error: note}
}
