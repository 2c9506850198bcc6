// Package logdump prints the Raft log of a node that does not run, an entry a
// line, in the form that package jepsen/history reads and a person can, too.
//
// Package logentry translates entries to that form. This one changes no file, does
// not know what an entry does to a queue, and starts nothing. Start reading at
// Dump in dump.go.
package logdump
