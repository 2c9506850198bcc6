//go:build !long

package modeltest

// A short run, for before each change. The long one has the tag.
const (
	checks      = 20     // histories of one run
	commandsMin = 13_000 // that they have to have together
	seenMin     = 0      // what is rare need not be among them
)
