//go:build long

package store

// The long form of short_test.go.
const (
	flipsDefault = 24
	boltCommits  = 300
)
