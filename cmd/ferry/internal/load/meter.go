package load

import (
	"sync"
	"sync/atomic"
	"time"
)

// meter is what all connections of a run count together. Measuring begins
// when the warm-up is over.
type meter struct {
	start, end time.Time // of measuring
	limit      uint64    // messages, 0: none
	taken      atomic.Uint64
	total      atomic.Uint64 // the warm-up's too
	counted    atomic.Uint64
	last       atomic.Int64 // when the last counted message was done, nanoseconds after start
	errors     atomic.Uint64

	mu    sync.Mutex
	first error
}

func newMeter(o Options, now time.Time) *meter {
	m := &meter{start: now.Add(warmup), limit: o.Count}
	if o.Count > 0 {
		m.start = now // a bounded count is measured from its first message on
	}
	m.end = m.start.Add(o.Duration)
	return m
}

// next takes the right to send one more message.
func (m *meter) next() bool {
	return time.Now().Before(m.end) && (m.limit == 0 || m.taken.Add(1) <= m.limit)
}

// done notes that a message is through, and tells whether it counts.
func (m *meter) done(now time.Time) bool {
	m.total.Add(1)
	if now.Before(m.start) || m.limit == 0 && now.After(m.end) {
		return false
	}
	m.counted.Add(1)
	m.last.Store(int64(now.Sub(m.start)))
	return true
}

func (m *meter) fail(err error) {
	m.errors.Add(1)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.first == nil {
		m.first = err
	}
}

// ended ends measuring before its time.
func (m *meter) ended(now time.Time) {
	if now.Before(m.end) {
		m.end = now
	}
}

// measured is how long counting went on.
func (m *meter) measured() time.Duration {
	if m.limit > 0 && m.taken.Load() >= m.limit {
		return time.Duration(m.last.Load())
	}
	return max(0, m.end.Sub(m.start))
}
