package fsm

// Settings of a queue; zero is the default.
type Settings struct {
	MaxMessages  uint64 // 0: no limit
	MaxBytes     uint64 // logical; 0: no limit
	Overflow     Overflow
	FailureLimit int32  // 0: 10; -1: none
	LeaseMillis  uint32 // 0: 60,000
	DLQMessages  uint64
	DLQBytes     uint64

	TTLMillis   uint64 // 0: messages do not expire; at most ten years
	ExpiredDead bool   // what expires goes to the dead-letter queue

	Retry           Retry
	RetryBaseMillis uint32 // 0: 1,000
	RetryMaxMillis  uint32 // 0: 300,000
	RetryFactor     uint32 // of exponential; 0: 2

	StarvationGuard int32 // every so many hand-outs a lower priority is served; 0: 20; -1: never
	GroupFailure    GroupFailure
	GroupBatch      uint32 // messages of a group leased at a time; 0: 1
	Exclusive       bool   // one consumer at a time
	Fair            bool   // tenants take turns

	DedupMillis   uint32 // window of message ids; 0: none; 1 s to 7 d
	DedupCapacity uint32 // ids in it at most; required with a window

	Breaker       bool
	DispatchRate  uint32 // messages a second; 0: no limit
	DispatchBurst uint32 // 0: a tenth of the rate, at least 1
}

// Overflow is what a full queue does with a new message.
type Overflow uint8

const (
	OverflowReject     Overflow = 0 // busy
	OverflowDropOldest Overflow = 1 // the oldest unleased ones go to the dead-letter queue
	OverflowDropNew    Overflow = 2 // dropped
)

// Retry is the shape of the delays between attempts.
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
	GroupPark  GroupFailure = 1 // as block, but when it is dead-lettered the group is held, with what comes later, until it is resumed
	GroupDead  GroupFailure = 2 // as block, but when it is dead-lettered the rest follows it
	GroupSkip  GroupFailure = 3 // the rest goes on while it waits for its retry
)

// TopicSettings of a topic; zero is the default.
type TopicSettings struct {
	DedupMillis   uint32 // as of a queue, judged once, before fan-out
	DedupCapacity uint32
}

// filled returns the settings with the defaults in place.
func (t Settings) filled() (Settings, Result) {
	switch {
	case t.Overflow > OverflowDropNew:
		return t, Result{Code: Invalid, Detail: "overflow policy is unknown"}
	case t.FailureLimit < UnlimitedFailures:
		return t, Result{Code: Invalid, Detail: "failure limit is below -1"}
	}
	if fault := t.timeFault(); fault != "" {
		return t, Result{Code: Invalid, Detail: fault}
	}
	if fault := dedupFault(t.DedupMillis, t.DedupCapacity); fault != "" {
		return t, Result{Code: Invalid, Detail: fault}
	}
	if fault := t.orderFault(); fault != "" {
		return t, Result{Code: Invalid, Detail: fault}
	}
	if t.FailureLimit == 0 {
		t.FailureLimit = DefaultFailureLimit
	}
	t.LeaseMillis = orDefault(t.LeaseMillis, DefaultLeaseMillis)
	t.RetryBaseMillis = orDefault(t.RetryBaseMillis, DefaultRetryBaseMillis)
	t.RetryMaxMillis = orDefault(t.RetryMaxMillis, DefaultRetryMaxMillis)
	t.RetryFactor = orDefault(t.RetryFactor, DefaultRetryFactor)
	if t.StarvationGuard == 0 {
		t.StarvationGuard = DefaultStarvationGuard
	}
	t.GroupBatch = orDefault(t.GroupBatch, 1)
	if t.DispatchRate == 0 {
		t.DispatchBurst = 0
	} else {
		t.DispatchBurst = orDefault(t.DispatchBurst, max(1, t.DispatchRate/10))
	}
	return t, Result{}
}

// deadLetter returns the settings of the queue's dead-letter queue.
func (t Settings) deadLetter() Settings {
	return Settings{MaxMessages: t.DLQMessages, MaxBytes: t.DLQBytes,
		FailureLimit: UnlimitedFailures, LeaseMillis: t.LeaseMillis, Retry: RetryImmediate}
}

// timeFault says what is wrong with how long messages live and wait.
func (t *Settings) timeFault() string {
	switch {
	case t.TTLMillis > TenYearsMillis:
		return "time to live is longer than ten years"
	case t.Retry > RetryImmediate:
		return "retry policy is unknown"
	case t.RetryBaseMillis > MaxRetryMillis || t.RetryMaxMillis > MaxRetryMillis:
		return "retry delay is longer than a day"
	}
	return leaseFault(t.LeaseMillis)
}

// orderFault says what is wrong with how messages are handed out.
func (t *Settings) orderFault() string {
	switch {
	case t.StarvationGuard < -1:
		return "starvation guard is below -1"
	case t.GroupFailure > GroupSkip:
		return "group failure policy is unknown"
	case t.GroupBatch > MaxGroupBatch:
		return "group batch is more than 1000"
	}
	return ""
}
