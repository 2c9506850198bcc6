package fsm

// QueueInfo describes a queue.
type QueueInfo struct {
	Name              string
	Incarnation       uint64
	Settings          Settings // defaults filled in
	Paused            bool
	Ready             uint64
	Leased            uint64
	Parked            uint64
	Bytes             uint64 // logical bytes of all of them
	Consumers         uint32
	Published         uint64 // since it was created; of a dead-letter queue: what entered it
	Acked             uint64 // assignments to consumers without acks included
	Dead              uint64 // dead-lettered; of a dead-letter queue: rejected, and gone
	Purged            uint64
	DeadLetter        string // name of its dead-letter queue, "" for one
	OldestReadyMillis int64  // wall clock of the first ready message, 0 for none
}

// SessionCounts is how many there are.
type SessionCounts struct {
	Sessions  int
	Attached  int
	Consumers int
}

// MessageState of a message in a queue.
type MessageState uint8

const (
	Ready  MessageState = 1
	Leased MessageState = 2
	Parked MessageState = 3
)

// MessageInfo describes one message, for tests and tools.
type MessageInfo struct {
	State          MessageState
	Place          uint64
	ID             ID
	Bytes          uint32 // logical size
	Attempts       uint32
	Failures       uint32
	EnqueuedMillis int64
	Token          uint64 // leased
	Session        SessionID
	Consumer       uint32
	DeadlineMillis int64 // lease clock
	Extended       bool
	Death          *Death
}

// SessionInfo describes a session's record.
type SessionInfo struct {
	Session         SessionID
	Epoch           uint64
	Node            string // "" when detached
	Judged          uint64
	AnsweredThrough uint64
	LastOrdered     uint64
	KeptResults     int
	KeptItems       int
	Consumers       []ConsumerInfo // by number
}

// ConsumerInfo describes a consumer.
type ConsumerInfo struct {
	Consumer       uint32
	Incarnation    uint64
	CreditMessages uint32
	CreditBytes    uint32
	Concurrency    uint32
	NoAck          bool
	LeaseMillis    uint32
	Held           int    // unsettled, or assigned and not taken
	HeldBytes      uint64 // of those
	Assigned       uint64
	Taken          uint64
	Closing        bool // cancelled, waits for its last settle
}
