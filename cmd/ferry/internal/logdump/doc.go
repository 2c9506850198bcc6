// Package logdump prints the Raft log of a node that does not run, an entry a
// line, in the form that package jepsen/history reads and a person can, too.
//
// It owns the translation from entries to that form. It changes no file, does
// not know what an entry does to a queue, and starts nothing. Start reading at
// Dump in dump.go, then entry.go.
package logdump
