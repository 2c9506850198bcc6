//go:build invariants

package fsm

// invariants makes Apply check the whole state after every entry.
const invariants = true
