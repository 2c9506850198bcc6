package transport

// MessageState of a message in a queue.
type MessageState uint8

const (
	MessageReady     MessageState = 1
	MessageLeased    MessageState = 2
	MessageParked    MessageState = 3 // dead, but its dead-letter queue is full
	MessageScheduled MessageState = 4 // not due yet
	MessageRetrying  MessageState = 5 // waits for its next attempt
)

// MessageStates is a set of states; the empty one is all of them.
type MessageStates uint8

// StatesOf makes a set.
func StatesOf(states ...MessageState) (set MessageStates) {
	for _, s := range states {
		set |= 1 << s
	}
	return set
}

// Has tells whether the state is in the set, or the set is empty.
func (m MessageStates) Has(s MessageState) bool { return m == 0 || m&(1<<s) != 0 }

// BrowseQuery is the body of a "browse": messages of a queue in the order of
// their places, those only that every condition holds for. A condition that is
// zero holds for all.
type BrowseQuery struct {
	Queue         string
	After         uint64 // paging: only places above this
	Limit         uint32 // 0: 100; at most 1,000
	States        MessageStates
	Index         uint64 // with Position, the id of one message; 0: any
	Position      uint32
	HeaderKey     string // has this header
	HeaderValue   string // and, unless it is "", with this value
	GroupKey      string
	Tenant        string
	OlderThanMs   uint64 // was enqueued at least so long ago
	YoungerThanMs uint64 // was enqueued at most so long ago
	Bodies        bool   // with records
}

// BrowseReply is the reply to "browse". It ends early where it would be too
// large or cost too much, so that it may be empty while there is more.
type BrowseReply struct {
	Messages []BrowsedMessage
	Next     uint64 // After of the next page
	More     bool
}

// BrowsedMessage describes one message. Its raft group is that of the query.
type BrowsedMessage struct {
	Place      uint64
	Index      uint64
	Position   uint32
	State      MessageState
	Bytes      uint32 // logical size
	Attempts   uint32
	Failures   uint32
	EnqueuedMs int64 // Unix milliseconds, as all times here
	ReadyMs    int64 // scheduled: when it is due; retrying: the same, estimated; else 0
	ExpiresMs  int64 // 0: never
	Priority   uint8
	GroupKey   string
	Tenant     string
	Alone      bool   // blamed for a crash: leased only alone
	Token      uint64 // leased: by whom, until when (estimated)
	Session    SessionID
	Consumer   uint32
	DeadlineMs int64
	Death      *Death    // of a dead letter, or a parked one
	History    []Attempt // of one that is not dead: the last 16 attempts, oldest first
	Forgotten  uint32    // attempts before those
	Record     []byte    // with Bodies; else empty
}
