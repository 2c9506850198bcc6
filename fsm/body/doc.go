// Package body keeps the bytes of messages by id, in memory.
//
// A message's record stays where it arrived: in the slice of its log entry.
// The store keeps one block per entry, with the places of the records inside
// it, and drops a block with its last live record. When less than a quarter
// of a block's bytes live, the survivors are copied out, so that one old
// message does not hold a whole entry in memory.
//
// A body may have several references: a message published to a topic is in
// many queues. It goes with the last one. The counts are in no view, because
// they follow from who refers to it.
//
// The store is owned by one goroutine. A View pins what lives at one moment
// and may be read by another goroutine while the store goes on: blocks carry
// the generation they were made in and are copied before they change.
//
// It knows nothing of queues, records or logs. Start reading at store.go.
package body
