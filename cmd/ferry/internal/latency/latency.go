package latency

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Max is the longest duration told apart.
const Max = 10 * time.Minute

// Set is a collection of durations: microseconds, three digits. One goroutine
// uses it.
type Set struct{ h *hdrhistogram.Histogram }

// New makes an empty set.
func New() Set { return Set{hdrhistogram.New(1, Max.Microseconds(), 3)} }

// Add notes one duration.
func (s Set) Add(d time.Duration) {
	// Within the bounds, so it cannot fail.
	_ = s.h.RecordValue(min(max(d.Microseconds(), 1), Max.Microseconds()))
}

// Merge adds all of other.
func (s Set) Merge(other Set) { s.h.Merge(other.h) }

// Millis at a percentile, 0 to 100.
func (s Set) Millis(percentile float64) float64 {
	return float64(s.h.ValueAtQuantile(percentile)) / 1000
}

// MaxMillis is the longest.
func (s Set) MaxMillis() float64 { return float64(s.h.Max()) / 1000 }

// Len is how many durations were added.
func (s Set) Len() int64 { return s.h.TotalCount() }
