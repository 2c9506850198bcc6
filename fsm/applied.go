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
	Value            uint64    // see the command; Fenced: the current epoch
	Detail           string    // Invalid, TooLarge, Unsupported: what was wrong
	Items            []Verdict // one for each message or settle, or none when all have Code
}

// Verdict on one item of a command.
type Verdict struct {
	Code             Code
	Cause            Cause
	RetryAfterMillis uint32
	FirstIndex       uint64 // Duplicate: with FirstPosition, the id of the message that was first
	FirstPosition    uint32
}

// EffectKind says what an effect asks for.
type EffectKind uint8

const (
	EffectDeliver EffectKind = 1 // hand the message to the consumer's connection
	EffectClosed  EffectKind = 2 // tell the session that its consumer ended; Code says why
	EffectAnswer  EffectKind = 3 // tell the session how its request Number ended: Code, and for OK the answer in Body
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
	Number         uint64 // assignment number, without acks; EffectAnswer: operation number of the request
	ID             ID
	Attempt        uint32
	Failures       uint32
	LeaseMillis    uint32
	EnqueuedMillis int64
	Request        bool // the message asks for a Reply
	Death          *Death
	Body           body.Ref
}

// Death says why a message is in a dead-letter queue. It is never changed.
type Death struct {
	Queue     string
	Reason    string // one of the Death constants
	Attempts  uint32
	Failures  uint32
	Error     string // of the last failure
	AtMillis  int64
	History   []Attempt // the last 16, oldest first
	Forgotten uint32    // attempts before those
}

// Attempt is how one lease of a message ended without success.
type Attempt struct {
	AtMillis int64 // wall clock of the end
	Session  SessionID
	Consumer uint32
	Token    uint64
	Error    string
}
