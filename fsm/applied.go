package fsm

import "github.com/ferrymq/ferrymq/fsm/body"

// Applied is what an entry did: one result for each command, in order, and
// what the outside is asked to do. Only the leader acts on effects.
type Applied struct {
	Index   uint64
	Results []Result
	Effects []Effect
	// Checkpoint asks for the full hash of the state right after this entry.
	Checkpoint bool
}

// Result of a command.
type Result struct {
	Code             Code
	Cause            Cause
	RetryAfterMillis uint32
	Index            uint64    // the entry in which it took effect (a repeat: the first one)
	Position         uint32    // message i of a publish has the id (group, Index, Position+i)
	Value            uint64    // Attach: highest number judged; Fenced: the current epoch; purge: messages; Consume: the queue's incarnation
	Detail           string    // Invalid, TooLarge, Unsupported: what was wrong
	Items            []Verdict // one for each message or settle, or none when all have Code
}

// Verdict on one item of a command.
type Verdict struct {
	Code             Code
	Cause            Cause
	RetryAfterMillis uint32
}

// EffectKind says what an effect asks for.
type EffectKind uint8

const (
	EffectDeliver EffectKind = 1 // hand the message to the consumer's connection
	EffectClosed  EffectKind = 2 // tell the session that its consumer ended; Code says why
)

// Effect is what an applied entry asks the outside to do. Session, Epoch and
// Node name the attachment it is for; it is void for any other.
type Effect struct {
	Kind     EffectKind
	Code     Code
	Session  SessionID
	Epoch    uint64
	Node     string
	Consumer uint32

	Incarnation    uint64
	Place          uint64
	Token          uint64 // 0 without acks
	Number         uint64 // assignment number, without acks
	ID             ID
	Attempt        uint32
	Failures       uint32
	LeaseMillis    uint32
	EnqueuedMillis int64
	Death          *Death
	Body           body.Ref
}

// Death says why a message is in a dead-letter queue.
type Death struct {
	Queue    string
	Reason   string // ReasonFailures or ReasonRejected
	Attempts uint32
	Failures uint32
	Error    string
	AtMillis int64
}
