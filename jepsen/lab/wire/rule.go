package wire

import (
	"errors"
	"fmt"
	"time"
)

// Rule is what happens to packets on one directed link. The zero Rule is a
// link without faults. Probabilities are between 0 and 1, each for itself.
type Rule struct {
	// Block lets nothing through, what is still on its way included. With
	// Reset too, the sender of a TCP packet is answered with a reset.
	Block bool
	Reset bool

	Loss      float64 // gone
	Duplicate float64 // arrives twice
	Corrupt   float64 // one bit is flipped, which a checksum finds
	Mangle    float64 // one bit of the payload is flipped under a right checksum
	Reorder   float64 // held back, so that others overtake it

	// Delay is added to every packet, and up to Jitter either way. Neither
	// changes the order.
	Delay  time.Duration
	Jitter time.Duration

	// Rate is a limit in bytes a second; 0 is none. A packet that would wait
	// more than a second for it is dropped.
	Rate int64
}

// DelayMax bounds Delay and Jitter.
const DelayMax = time.Minute

// ErrRule wraps every mistake in a rule.
var ErrRule = errors.New("bad rule")

func (r Rule) validate() error {
	var wrong []error
	for _, p := range []struct {
		name  string
		value float64
	}{
		{"Loss", r.Loss},
		{"Duplicate", r.Duplicate},
		{"Corrupt", r.Corrupt},
		{"Mangle", r.Mangle},
		{"Reorder", r.Reorder},
	} {
		if !(p.value >= 0 && p.value <= 1) {
			wrong = append(wrong, fmt.Errorf("%w: %s is %v, not 0 to 1", ErrRule, p.name, p.value))
		}
	}
	if r.Delay < 0 || r.Delay > DelayMax || r.Jitter < 0 || r.Jitter > DelayMax {
		wrong = append(wrong, fmt.Errorf("%w: Delay %v ± %v, not 0 to %v", ErrRule, r.Delay, r.Jitter, DelayMax))
	}
	if r.Rate < 0 {
		wrong = append(wrong, fmt.Errorf("%w: Rate is %d", ErrRule, r.Rate))
	}
	if r.Reset && !r.Block {
		wrong = append(wrong, fmt.Errorf("%w: Reset without Block", ErrRule))
	}
	return errors.Join(wrong...)
}
