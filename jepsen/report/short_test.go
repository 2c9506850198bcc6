//go:build !long

package report

// largeRun is how many operations TestLargeRun writes: enough for the page to
// be as large as it gets. The tag has the long form.
const largeRun = 30_000
