// Package progress is what a person at a terminal sees of a session of runs: a
// bar, the run that goes on, and a line for each that ended. Elsewhere it
// writes plain lines.
//
// It owns the display and nothing else: it knows runs by name and length, and
// is told what became of them. It imports nothing of ours. Start reading in
// display.go.
package progress
