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

	Scheduled    uint64 // not due yet
	Retrying     uint64 // waiting for their next attempt
	Groups       uint64 // message groups that have messages or are parked
	GroupsParked uint64
	Expired      uint64 // since it was created
	Overflowed   uint64 // dropped or dead-lettered, old or new, because it was full
	Missed       uint64 // of a subscription: published while it could not take them
	Duplicates   uint64 // refused by the window of message ids
	DedupIDs     uint64 // in the window now
	Breaker      BreakerInfo

	Topic    string // of a subscription
	Filter   string
	Required bool
	Session  bool // goes with its session
}

// BreakerInfo describes a circuit breaker.
type BreakerInfo struct {
	State       BreakerState
	ByHand      bool   // open until an operator closes it
	UntilMillis int64  // open: lease clock at which it probes
	OpenMillis  uint32 // length of this opening, or of the next
	Outcomes    uint32 // in the window
	Failures    uint32 // of those
	Downstream  uint32 // consecutive downstream failures
	Probes      uint32 // half open: leases of this round
}

// BreakerState of a queue.
type BreakerState uint8

const (
	BreakerOff      BreakerState = 0 // the queue has none
	BreakerClosed   BreakerState = 1
	BreakerIsOpen   BreakerState = 2
	BreakerHalfOpen BreakerState = 3
)

// TopicInfo describes a topic.
type TopicInfo struct {
	Name          string
	Incarnation   uint64
	Settings      TopicSettings
	Subscriptions uint32
	Published     uint64
	Duplicates    uint64
	DedupIDs      uint64
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
	Ready     MessageState = 1
	Leased    MessageState = 2
	Parked    MessageState = 3
	Scheduled MessageState = 4 // not due yet
	Retrying  MessageState = 5 // waits for its next attempt
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
	ReadyMillis    int64 // scheduled: wall clock; retrying: lease clock
	ExpiresMillis  int64 // wall clock; 0: never
	Priority       uint8 // as its line says, with the next two: what the queue goes by
	Group          string
	Tenant         string
	Alone          bool   // blamed for a crash: leased only alone
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
