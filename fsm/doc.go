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
//	publish.go, settle.go, commit.go  the operations of clients
//	admin.go, amend.go                those of operators
//	session.go, attach.go, grace.go   sessions
//	lane.go, chunk.go                 waiting messages, packed
//	checkout.go                       the one place that gives a lease
//	release.go                        the one place that ends a lease
//	endmessage.go                     the one place that ends a message
//	timers.go, due.go                 the one index of deadlines, and what happens then
//	reclaim.go                        what a purge or a deletion took away, leases and all, ends bit by bit
//	snapshot.go                       the capture, its format, and back
//
// And what each feature adds:
//
//	retry.go, deadletter.go           back-off, and what failed for good
//	timed.go                          delays and times to live
//	lines.go, order.go, group.go      priorities and message groups
//	tenant.go                         fair turns
//	alone.go                          what was blamed for a crash goes alone
//	exclusive.go                      one active consumer
//	overflow.go, crowded.go           full queues
//	dedup.go                          windows of message ids
//	topic.go, filter.go, words.go     subscriptions
//	missed.go                         what they miss
//	request.go, reply.go              requests and their answers
//	breaker.go, rate.go               the brakes of a queue
//	browse.go, explain.go, trace.go   looking inside
package fsm
