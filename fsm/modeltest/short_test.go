//go:build !long

package modeltest

// A short run, for before each change. The long one has the tag.
const (
	checks      = 22     // histories of one run
	commandsMin = 15_000 // that they have to have together
)
