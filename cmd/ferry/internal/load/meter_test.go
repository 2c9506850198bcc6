package load

import (
	"testing"
	"time"
)

// TestMeasuredIsWhatWasRun: a run that is interrupted has no rate over the time
// that it was meant to take.
func TestMeasuredIsWhatWasRun(t *testing.T) {
	start := time.Unix(1000, 0)
	o := Options{Duration: 20 * time.Second}
	for name, c := range map[string]struct {
		after, want time.Duration
	}{
		"to its end":         {warmup + 25*time.Second, 20 * time.Second},
		"ended half-way":     {warmup + 4*time.Second, 4 * time.Second},
		"ended warming up":   {warmup / 2, 0},
		"ended at its start": {warmup, 0},
	} {
		m := newMeter(o, start)
		m.ended(start.Add(c.after))
		if got := m.measured(); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
