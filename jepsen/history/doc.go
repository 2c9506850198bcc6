// Package history is what one run leaves behind: the operations of every
// client with their outcomes, the faults, the committed log, and what the
// replicas said of themselves in the end.
//
// It owns the vocabulary in which workloads write and checkers read, the
// recorder, and the form on disk. It knows nothing of the broker's code, of
// processes, or of what is right: judging is package check's.
//
// Start reading in op.go; run.go is what a checker is given.
package history
