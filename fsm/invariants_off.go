//go:build !invariants

package fsm

// invariants makes Apply check the whole state after every entry; build with
// the tag of that name to have it.
const invariants = false
