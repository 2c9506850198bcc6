package transport

// QueueInfo describes a queue.
type QueueInfo struct {
	Name          string
	Incarnation   uint64
	Settings      QueueSettings // defaults filled in
	Paused        bool
	Ready         uint64
	Leased        uint64
	Parked        uint64 // dead, but their dead-letter queue is full
	Bytes         uint64
	Consumers     uint32
	Published     uint64 // since it was created; of a dead-letter queue: what entered it
	Acked         uint64
	Dead          uint64
	Purged        uint64
	DeadLetter    string // name of its dead-letter queue, "" for one
	OldestReadyMs int64  // wall clock of the oldest ready message, 0 for none

	// later

	Scheduled    uint64 `body:"later"` // not due yet
	Retrying     uint64 // waiting for their next attempt
	Groups       uint64 // message groups that have messages or are parked
	GroupsParked uint64
	Expired      uint64 // since it was created
	Overflowed   uint64 // dropped or dead-lettered, old or new, because it was full
	Missed       uint64 // of a subscription: published while it could not take them
	Duplicates   uint64 // refused by the window of dedup ids
	DedupIDs     uint64 // in the window now
	Breaker      BreakerInfo

	Topic    string // of a subscription, else ""
	Filter   string
	Required bool
	Session  bool // goes with its session
}

// BreakerState of a queue.
type BreakerState uint8

const (
	BreakerOff      BreakerState = 0 // the queue has none
	BreakerClosed   BreakerState = 1
	BreakerIsOpen   BreakerState = 2
	BreakerHalfOpen BreakerState = 3
)

// BreakerInfo describes a circuit breaker.
type BreakerInfo struct {
	State      BreakerState
	ByHand     bool   // open until an operator closes it
	UntilMs    int64  // open: when it probes, Unix milliseconds, estimated; else 0
	OpenMs     uint32 // length of this opening, or of the next
	Outcomes   uint32 // in the window
	Failures   uint32 // of those
	Downstream uint32 // consecutive downstream failures
	Probes     uint32 // half open: leases of this round
}

// QueueList is the reply to "queues" and "subscriptions".
type QueueList struct {
	Queues []QueueInfo
	More   bool
}

// TopicInfo describes a topic.
type TopicInfo struct {
	Name          string
	Incarnation   uint64
	Settings      TopicSettings
	Subscriptions uint32
	Published     uint64 // since it was created
	Duplicates    uint64 // refused by the window of dedup ids
	DedupIDs      uint64 // in the window now
}

// TenantInfo describes a tenant of a fair queue, in reply to a Query.
type TenantInfo struct {
	Name   string
	Weight uint32
}

// TenantList is the reply to "tenants".
type TenantList struct {
	Tenants []TenantInfo
	More    bool
}

// TopicList is the reply to "topics".
type TopicList struct {
	Topics []TopicInfo
	More   bool
}
