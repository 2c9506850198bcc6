//go:build !long

package store

// How much is tried before each change; every run tries something else. The
// tag has the long form.
const (
	flipsDefault = 3  // bits of each file that TestRotOfAnyFile flips
	boltCommits  = 60 // of each file that TestEveryGoodFileIsGood makes; three times it is opened again
)
