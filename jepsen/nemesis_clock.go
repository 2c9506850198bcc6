//go:build linux

package jepsen

import (
	"context"
	"time"

	"github.com/ferrymq/ferrymq/jepsen/history"
)

var clockNemeses = []nemesis{
	{name: "clock-skew", does: clockSkew},
}

// clockSkew moves one node's wall clock far away, then strobes it; the leader
// first. The monotonic clock is unharmed, as it is when a person or NTP sets
// a real one.
func clockSkew(ctx context.Context, a *arena) error {
	offsets := []time.Duration{time.Hour, -time.Hour, 5 * time.Second, -30 * 24 * time.Hour}
	return a.each(ctx, 3, func(i int) error {
		m := a.leaderOr(i%2 == 0)
		f := a.begin("clock skew", []*machine{m})
		steps := 1
		if i%3 == 2 {
			steps = 6 // a strobe
		}
		seen := int64(0)
		for step := range steps {
			offset := offsets[a.rand.IntN(len(offsets))]
			if err := m.skew(offset); err != nil {
				return err
			}
			if seen == 0 && a.skewSeen(m, offset) {
				seen = 1
			}
			if step < steps-1 {
				a.wait(ctx, 100*time.Millisecond)
			}
		}
		a.wait(ctx, a.between(time.Second, 2*time.Second))
		err := m.skew(0)
		f.end(history.Bite{What: "node's own time seen to be off", Count: seen})
		return err
	})
}
