package transport

// ExplainReply is the reply to "explain": why a queue hands out nothing, or
// less than it could.
type ExplainReply struct {
	Queue   string
	Reasons []ExplainReason // the most important first; none: nothing holds it up
}

// ExplainReason is one cause. A client shows kinds it does not know by their text.
type ExplainReason struct {
	Kind  string // one of the Explain constants
	Text  string // for people
	Count uint64 // how many messages, consumers or groups it concerns; 0 if that says nothing
	AtMs  int64  // when it ends by itself, Unix milliseconds, estimated; 0: it does not, or nobody knows
	Name  string // of what it is about: a queue, a message group, a node, a consumer as "session/number"; "" for nothing

	// later
	TakesBytes int64 `body:"later"` // ExplainMissed, ExplainTopicRefuses: the largest message that the subscription takes now; -1: it takes none
}

// Kinds of an ExplainReason.
const (
	ExplainEmpty             = "empty"
	ExplainPaused            = "paused"
	ExplainNoConsumer        = "no_consumer"
	ExplainConsumersDetached = "consumers_detached"
	ExplainNoCredit          = "no_credit"
	ExplainAloneWaits        = "alone_waits"     // of a message blamed for a crash: its consumer settles the rest first
	ExplainAloneHeld         = "alone_held"      // its consumer is handed nothing else
	ExplainExclusiveWaits    = "exclusive_waits" // its active consumer has no room, or is detached
	ExplainGroupsBusy        = "groups_busy"
	ExplainGroupsBlocked     = "groups_blocked"
	ExplainGroupsParked      = "groups_parked"
	ExplainBreakerOpen       = "breaker_open"
	ExplainBreakerProbing    = "breaker_probing"
	ExplainBreakerNeedsAcks  = "breaker_needs_acks" // only consumers without acks have room, and get no probe
	ExplainRate              = "rate"
	ExplainScheduled         = "scheduled"
	ExplainRetrying          = "retrying"
	ExplainMissed            = "missed"        // of a subscription: messages of its topic that it could not take
	ExplainTopicRefuses      = "topic_refuses" // its topic refuses what a required subscription matches that takes less than if it was empty
	ExplainTopicUnseen       = "topic_unseen"  // required subscriptions of its topic that were not looked at: they may refuse, too
	ExplainParked            = "parked_dlq_full"
	ExplainNoLeader          = "no_leader"
	ExplainNoQuorum          = "no_quorum"
	ExplainMemory            = "memory"
	ExplainDisk              = "disk"
	ExplainLag               = "lag"
	ExplainWindow            = "window" // a connection has a full window: it does not read what it is sent
)

// TraceQuery is the body of a "trace": the id of a message, whose raft group
// is that of the query.
type TraceQuery struct {
	Index    uint64
	Position uint32
}

// TraceReply is the reply to "trace": what became of a message, as far back
// as the answering node remembers.
type TraceReply struct {
	Events    []TraceEvent // the oldest first
	FromIndex uint64       // everything since this entry is remembered
	FromMs    int64        // and its wall clock, Unix milliseconds; 0 while nothing was forgotten
}

// TraceEvent is one thing that happened to a message.
type TraceEvent struct {
	Index    uint64 // of the entry
	WallMs   int64  // of the entry, Unix milliseconds
	Queue    string
	Kind     string // one of the Trace constants
	Token    uint64
	Session  SessionID // of the consumer; if Consumer is 0, whose operation did it; zero: none did
	Consumer uint32
	Node     string // through which the session was attached
	Detail   string
}

// Kinds of a TraceEvent.
const (
	TracePublished    = "published"
	TraceDuplicate    = "duplicate"
	TraceDelivered    = "delivered"
	TraceAcked        = "acked"
	TraceNacked       = "nacked"
	TraceRejected     = "rejected"
	TraceExtended     = "extended"
	TraceExpiredLease = "expired_lease"
	TraceReturned     = "returned"
	TraceReady        = "ready"
	TraceExpired      = "expired"
	TraceDead         = "dead"
	TraceParked       = "parked"
	TraceMoved        = "moved"
	TraceDeleted      = "deleted"
	TracePurged       = "purged"
	TraceQueueDeleted = "queue_deleted"
	TraceRequeued     = "requeued"
	TraceScheduled    = "scheduled"
	TraceAnswered     = "answered"
	TraceDropped      = "dropped"
	TraceMissed       = "missed"
)
