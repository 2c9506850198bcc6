package client

import (
	"fmt"
	"time"
)

// Header of a message: names with one or more values.
type Header map[string][]string

// Get returns the first value of the name, "" for none.
func (h Header) Get(name string) string {
	if values := h[name]; len(values) > 0 {
		return values[0]
	}
	return ""
}

// Set replaces the values of the name.
func (h Header) Set(name, value string) { h[name] = []string{value} }

// Add appends a value to the name's.
func (h Header) Add(name, value string) { h[name] = append(h[name], value) }

// Message is what a producer sends. Every zero field is useful.
type Message struct {
	Body          []byte
	Header        Header
	ContentType   string
	CorrelationID string
}

// MessageID names a message for life: where it entered the log of its group.
// It is the idempotency key for effects outside the broker.
type MessageID struct {
	Group    uint32
	Index    uint64
	Position uint32
}

// String is "group-index-position".
func (id MessageID) String() string {
	return fmt.Sprintf("%d-%d-%d", id.Group, id.Index, id.Position)
}

// Receipt confirms a publish: it is on disk at a majority of nodes.
type Receipt struct {
	ID        MessageID
	Duplicate bool // it was there already
	Dropped   bool // taken, then dropped by the queue's policy
}

// PublishResult is one message's outcome in a batch.
type PublishResult struct {
	Receipt
	Err error
}

// Death says why a message is in a dead-letter queue.
type Death struct {
	Queue    string
	Reason   string // "failures" or "rejected"
	Attempts int
	Failures int
	Error    string
	At       time.Time
}
