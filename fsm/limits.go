package fsm

// Limits that decide outcomes. They are part of the machine version, never
// of a node's settings: every replica must judge alike. Nodes may be
// configured to refuse more before anything enters the log.
const (
	MaxNameBytes       = 196     // of a queue
	MaxSystemNameBytes = 200     // of a queue that the system makes
	MaxNodeBytes       = 255     // of a node's name
	MaxPrincipalBytes  = 256     // of a principal
	MaxErrorBytes      = 1024    // of a settle's error; the rest is cut off
	MaxMessageBytes    = 1 << 20 // logical size: body and headers
	MaxOperationBytes  = 1 << 20 // sum of the logical sizes of an operation
	MaxItems           = 1000    // messages or settles of an operation

	MaxSessions            = 32768
	MaxQueues              = 262144 // dead-letter queues included
	MaxTopics              = 65536
	MaxSubscriptions       = 10_000  // of a topic
	MaxFanOut              = 100_000 // messages put into queues by one operation
	MaxFilterBytes         = 256
	MaxFilterWords         = 1 << 20 // words of filters that subjects are compared with, of one operation and of an entry: 170 ms
	MaxKeyBytes            = 256     // of a group, tenant, subject or message id
	MaxGroups              = 1 << 20 // message groups of a queue that have messages or are parked, and priorities of each of its tenants
	MaxTenants             = 10_000  // of a queue, by name, that have messages, a parked group or a weight
	MaxDedupCapacity       = 1 << 22
	MaxRequests            = 1024     // unanswered or kept, of a session
	MaxTaken               = 256      // answers that one request says have come
	MaxAnswerBytes         = 64 << 10 // logical, of a reply
	MaxHistory             = 16       // attempts kept of a message
	MaxConsumersPerSession = 256
	MaxConsumersPerQueue   = 1024
	MaxCreditMessages      = 4096    // of a consumer; never more than dueMax
	MaxCreditBytes         = 1 << 30 // of a consumer
	MaxSessionCredit       = 65536   // sum of a session's consumers, in messages
	MaxHeldTokens          = MaxSessionCredit
	MaxConcurrency         = MaxCreditMessages

	WindowOperations = 1024  // unanswered operations of a session
	WindowItems      = 16384 // messages and settles in its kept results

	breakerWindow        = 20 // outcomes that a circuit breaker knows
	breakerMask          = 1<<breakerWindow - 1
	breakerKnownMin      = 10 // before half of them failed is too many
	breakerDownstream    = 5  // failures of that kind in a row that are too many
	breakerOpenMillis    = 10_000
	breakerOpenMillisMax = 300_000
	breakerRoundMax      = 4 // probes of the last round

	dueMax     = 4096        // leases and messages that time ends or frees in one entry
	moveMax    = 4096        // parked messages moved in one entry
	reclaimMax = 4096        // bodies of purged and deleted queues dropped in one entry
	roomMax    = 8192        // messages dropped to make room in one entry, beyond one for each that is taken: about 10 ms
	lookFree   = 64          // messages looked at in vain to make room for one, that are not counted
	lookMax    = 4 * roomMax // messages looked at in vain in one entry, the others: about 2 ms
	chunkMax   = 256         // messages in a packed chunk

	matchedKept = 16 << 10 // matched subscriptions that scratch is kept for after an entry
	crowdedKept = 1 << 10  // crowded queues, the same
)

// Bounds are limits that tests lower to reach them. All replicas of a state
// must have the same, from its first entry on; they are in no snapshot.
type Bounds struct {
	Room    int // roomMax
	Tenants int // MaxTenants
	Groups  int // MaxGroups
	Reclaim int // reclaimMax
	Move    int // moveMax
	Due     int // dueMax
	Words   int // MaxFilterWords

	// Of an entry, beyond the first command of each kind.
	Lines  int // MaxGroups
	FanOut int // MaxFanOut
	Held   int // MaxSessionCredit
}

// Bounds are the state's.
func (s *State) Bounds() Bounds { return s.bounds }

// SetBounds is for tests.
func (s *State) SetBounds(b Bounds) { s.bounds = b }

// Defaults and bounds of settings.
const (
	DefaultCreditMessages = 32
	DefaultCreditBytes    = 8 << 20
	DefaultConcurrency    = 1
	DefaultFailureLimit   = 10
	UnlimitedFailures     = -1
	DefaultLeaseMillis    = 60_000
	MinLeaseMillis        = 1_000
	MaxLeaseMillis        = 86_400_000

	TenYearsMillis   = 10 * 366 * 86_400_000 // the longest TTL and delay
	MaxRequestMillis = 86_400_000            // from a request to its deadline

	DefaultRetryBaseMillis = 1_000
	DefaultRetryMaxMillis  = 300_000
	DefaultRetryFactor     = 2
	MaxRetryMillis         = 86_400_000
	DefaultPriority        = 4
	DefaultStarvationGuard = 20
	MaxGroupBatch          = 1000
	MinDedupMillis         = 1_000
	MaxDedupMillis         = 7 * 86_400_000
	MaxTenantWeight        = 1000

	DefaultIdleExpiryMillis = 3_600_000
	MinIdleExpiryMillis     = 1_000
	MaxIdleExpiryMillis     = 7 * 86_400_000

	GraceConnectionMillis = 5_000
	GraceNodeMillis       = 30_000

	RetryFullMillis   = 250 // retry_after of a full queue
	RetryWindowMillis = 50  // of a full window
	RetryRoomMillis   = 50  // of a queue that makes room
	RetryEntryMillis  = 50  // of an entry that has done enough
	RetryCountMillis  = 1_000
	deadlineStep      = 10 // NextDeadline is rounded up to this many milliseconds
)

// DeadLetterSuffix ends the name of a dead-letter queue.
const DeadLetterSuffix = ".dlq"

// Reasons of a Death.
const (
	DeathFailures = "failures"
	DeathRejected = "rejected"
	DeathExpired  = "expired"
	DeathOverflow = "overflow" // made room for a newer message
	DeathGroup    = "group"    // followed the head of its message group
)
