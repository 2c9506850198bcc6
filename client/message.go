package client

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ferrymq/ferrymq/transport"
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

// Message is what a producer sends. Every zero field is useful; texts have at
// most 256 bytes.
type Message struct {
	Body          []byte
	Header        Header
	ContentType   string
	CorrelationID string

	// DedupID: a second message with it in the queue's window is a duplicate,
	// and one with other content a conflict. Queues without a window ignore it.
	DedupID string
	// GroupKey: messages of a group are delivered in order, one batch at a time.
	GroupKey string
	// Priority, 0 to 31, nil for 4; the highest goes first. See Priority.
	Priority *uint8
	// TTL is how long the message may wait, up to ten years; 0: the queue's.
	TTL time.Duration
	// Delay until it is handed out, or DeliverAt, not both; up to ten years.
	Delay     time.Duration
	DeliverAt time.Time
	// ReplyTo is the queue that a durable answer goes to.
	ReplyTo string
	// Tenant takes turns with others in a fair queue.
	Tenant string
	// Subject is what a topic's subscriptions filter by: words of
	// A-Z a-z 0-9 _ - with dots between.
	Subject string
}

// Priority is a message's priority, 0 to 31.
func Priority(n uint8) *uint8 { return &n }

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

// ParseMessageID reads "group-index-position". The error Is ErrInvalid.
func ParseMessageID(text string) (id MessageID, err error) {
	parts := strings.Split(text, "-")
	if len(parts) == 3 {
		group, err1 := strconv.ParseUint(parts[0], 10, 32)
		index, err2 := strconv.ParseUint(parts[1], 10, 64)
		position, err3 := strconv.ParseUint(parts[2], 10, 32)
		if err = errors.Join(err1, err2, err3); err == nil {
			return MessageID{uint32(group), index, uint32(position)}, nil
		}
	}
	return id, localError(transport.CodeInvalid, "message id", text, "it is group-index-position", err)
}

// Receipt confirms a publish: it is on disk at a majority of nodes.
type Receipt struct {
	ID        MessageID
	Duplicate bool      // it was there already, as First
	First     MessageID // of a duplicate
	Dropped   bool      // taken, then dropped by the queue's policy
	// Queues is how many queues got the message from a topic. It is 0 for a
	// queue, and -1 where the node told only a sum: for messages published
	// together, by PublishBatch, PublishAsync or Tx.
	Queues int
}

// PublishResult is one message's outcome in a batch.
type PublishResult struct {
	Receipt
	Err error
}

// Death says why a message is in a dead-letter queue.
type Death struct {
	Queue    string // it died in
	Reason   string // "failures", "rejected", "expired", "overflow" or "group"
	Attempts int
	Failures int
	Error    string // of the last failure
	At       time.Time
	// History of the attempts that ended without success, oldest first: the
	// last 16. Forgotten is how many there were before.
	History   []Attempt
	Forgotten int
}

// Attempt is how one lease of a message ended without success.
type Attempt struct {
	At       time.Time // of its end
	Session  [16]byte  // that held it
	Consumer uint32
	Token    uint64
	Error    string
}
