// Package fsm is the state machine of a group: queues, sessions, consumers,
// leases, and what every command does to them. Its state is a pure function
// of the log: no clock, no randomness, no I/O, no goroutine, and nothing that
// depends on the order of a Go map.
//
// It owns the bytes of an entry and of a snapshot. It must not know of Raft,
// networks, connections or files; bodies live behind package body.
//
// State is owned by one goroutine. Snapshot may be written by another one
// while Apply goes on: everything it pins is copied before it changes (queues,
// sessions and consumers carry the generation they were made in, and the sets
// inside them are copy-on-write trees).
//
// Where to start reading:
//
//	command.go, code.go, applied.go   what goes in, what comes out
//	encode.go, decode.go, entry.go    their bytes
//	apply.go                          the frame around every entry: clocks, commands, due, reclaim, hand-out
//	operation.go                      operation numbers
//	publish.go, settle.go, admin.go   the operations
//	session.go, attach.go, grace.go   sessions
//	lane.go, chunk.go                 waiting messages, packed
//	checkout.go                       the one place that gives a lease
//	release.go                        the one place that ends a lease
//	timers.go, due.go                 the one index of deadlines, and what happens then
//	snapshot.go                       the capture, its format, and back
package fsm
