//go:build invariants

package fsm

import (
	"fmt"
	"math/bits"
)

// invariants makes Apply check the whole state after every entry, and what does
// not wait for the entry's end after every command.
const invariants = true

// checkedMax bounds the checks within one entry: after so many commands they are
// only after the 128th, the 256th and so on, for a check takes as long as the
// state is large.
const checkedMax = 64

// checkAfter checks the state after a command, by its count in the entry.
func (s *State) checkAfter(n int) error {
	if n > checkedMax && bits.OnesCount(uint(n)) > 1 {
		return nil
	}
	if err := s.checkSound(); err != nil {
		return s.fail(fmt.Errorf("after %d commands: %w", n, err))
	}
	return nil
}
