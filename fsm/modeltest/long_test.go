//go:build long

package modeltest

// A long run: many times the commands, and so the rare ones among them.
const (
	checks      = 1_400
	commandsMin = 1_000_000
	seenMin     = 20 // how often every state must have been
)
