package transport

// Overflow is what a full queue does with a new message.
type Overflow uint8

const (
	OverflowReject     Overflow = 0 // CodeBusy
	OverflowDropOldest Overflow = 1 // the oldest unleased ones go to the dead-letter queue
	OverflowDropNew    Overflow = 2 // CodeDropped
)

// Retry is the shape of the delays between the attempts of a message.
type Retry uint8

const (
	RetryExponential Retry = 0 // base, base*factor, base*factor^2, ...
	RetryFixed       Retry = 1 // base each time
	RetryLinear      Retry = 2 // base, 2*base, 3*base, ...
	RetryImmediate   Retry = 3 // none
)

// GroupFailure is what becomes of a message group when its head fails.
type GroupFailure uint8

const (
	GroupBlock GroupFailure = 0 // the rest waits for its retries; when it is dead-lettered, the rest goes on
	GroupPark  GroupFailure = 1 // as block, but when it is dead-lettered the group is held, with what comes later, until GroupResume or QueuePurge
	GroupDead  GroupFailure = 2 // as block, but when it is dead-lettered the rest follows it
	GroupSkip  GroupFailure = 3 // the rest goes on while it waits for its retry
)

const (
	FailureLimitUnlimited = int32(-1) // as a queue's failure limit: failures never dead-letter
	StarvationGuardOff    = int32(-1) // as a queue's starvation guard: a lower priority may wait for ever
)

// QueueSettings of a queue. Zero is the default.
type QueueSettings struct {
	MaxMessages  uint64 // 0: unlimited
	MaxBytes     uint64 // 0: unlimited; logical bytes (body and headers)
	Overflow     Overflow
	FailureLimit int32  // 0: 10; -1: unlimited
	LeaseMs      uint32 // 0: 60,000; 1,000 to 86,400,000
	DLQMessages  uint64 // 0: unlimited; the limit of the dead-letter queue
	DLQBytes     uint64 // 0: unlimited

	// later

	TTLMs       uint64 `body:"later"` // 0: messages do not expire; at most ten years
	ExpiredDead bool   // what expires goes to the dead-letter queue; else it is dropped

	Retry       Retry
	RetryBaseMs uint32 // 0: 1,000; at most 86,400,000
	RetryMaxMs  uint32 // 0: 300,000; at most 86,400,000
	RetryFactor uint32 // of RetryExponential; 0: 2

	StarvationGuard int32 // every so many hand-outs a lower priority is served; 0: 20; -1: never
	GroupFailure    GroupFailure
	GroupBatch      uint32 // messages of a group leased at a time; 0: 1; at most 1,000
	Exclusive       bool   // one consumer at a time
	Fair            bool   // tenants take turns

	DedupMs       uint32 // window of dedup ids; 0: none; 1,000 to 604,800,000
	DedupCapacity uint32 // ids in it at most; both or none

	Breaker       bool
	DispatchRate  uint32 // messages a second handed out; 0: unlimited
	DispatchBurst uint32 // 0: a tenth of the rate, at least 1
}

// TopicSettings of a topic. Zero is the default.
type TopicSettings struct {
	DedupMs       uint32 // as of a queue; judged once, before the subscriptions
	DedupCapacity uint32
}
