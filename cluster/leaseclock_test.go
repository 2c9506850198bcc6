package cluster

import (
	"testing"
	"time"
)

func TestLeaseClock(t *testing.T) {
	const ms = time.Millisecond
	tests := []struct {
		name  string
		base  int64
		steps []time.Duration // between the ticker's steps
		then  time.Duration   // since the last one
		want  int64
	}{
		{"at once", 5000, nil, 0, 5000},
		{"before the first step", 5000, nil, 70 * ms, 5070},
		{"steps and a rest", 5000, []time.Duration{100 * ms, 100 * ms}, 30 * ms, 5230},
		{"late steps count in full up to the bound", 0, []time.Duration{150 * ms, 200 * ms}, 0, 350},
		{"a paused machine", 0, []time.Duration{100 * ms, time.Hour, 100 * ms}, 0, 400},
		{"paused since the last step", 0, []time.Duration{100 * ms}, time.Hour, 300},
		{"a clock that goes back", 0, []time.Duration{100 * ms, -time.Second}, 50 * ms, 150},
		{"fractions add up", 0, []time.Duration{100*ms + 600*time.Microsecond, 100*ms + 600*time.Microsecond}, 0, 201},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			now := time.Unix(1_700_000_000, 0)
			var c leaseClock
			c.start(tt.base, now)
			for _, d := range tt.steps {
				now = now.Add(d)
				c.step(now)
			}
			if got := c.millis(now.Add(tt.then)); got != tt.want {
				t.Fatalf("got %d, want %d", got, tt.want)
			}
		})
	}
}

func TestLeaseClockStandsBeforeStart(t *testing.T) {
	var c leaseClock
	if got := c.millis(time.Now()); got != 0 {
		t.Fatalf("got %d", got)
	}
}

func TestLeaseClockNeverFalls(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	var c leaseClock
	c.start(10, now)
	last := int64(0)
	for i := range 1000 {
		now = now.Add(time.Duration(i%250) * time.Millisecond)
		if got := c.millis(now); got < last {
			t.Fatalf("fell from %d to %d", last, got)
		} else {
			last = got
		}
		if i%3 == 0 {
			c.step(now)
		}
	}
}
