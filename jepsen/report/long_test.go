//go:build long

package report

// largeRun is that of short_test.go, as many as a long run has.
const largeRun = 200_000
