package history

// Command is one command of an entry. Fields that its kind does not have are zero.
type Command struct {
	Kind            string `json:"kind"`              // "publish", "settle", "attach", …: the state machine's names in lower case
	Session         string `json:"session,omitempty"` // hex
	Epoch           uint64 `json:"epoch,omitempty"`
	Number          uint64 `json:"number,omitempty"` // await: of the request
	AnsweredThrough uint64 `json:"answered,omitempty"`
	Ordered         bool   `json:"ordered,omitempty"`
	Predecessor     uint64 `json:"predecessor,omitempty"`
	Queue           string `json:"queue,omitempty"` // publish: or topic
	Messages
	Publishes      []Publishing   `json:"publishes,omitempty"` // commit
	Items          []Item         `json:"items,omitempty"`     // settle, commit, reply
	Consumer       uint32         `json:"consumer,omitempty"`
	NoAck          bool           `json:"noack,omitempty"`
	CreditMessages uint32         `json:"credit,omitempty"`
	CreditBytes    uint32         `json:"credit_bytes,omitempty"`
	Concurrency    uint32         `json:"concurrency,omitempty"`
	LeaseMillis    uint32         `json:"lease,omitempty"` // consume
	Return         bool           `json:"return,omitempty"`
	Through        uint64         `json:"through,omitempty"`
	Node           string         `json:"node,omitempty"`
	Cause          string         `json:"cause,omitempty"` // detach: "connection" or "node"
	Resume         bool           `json:"resume,omitempty"`
	IdleMillis     uint32         `json:"idle,omitempty"`   // open
	Tokens         []uint64       `json:"tokens,omitempty"` // attach
	Settings       *Settings      `json:"settings,omitempty"`
	IfEmpty        bool           `json:"if_empty,omitempty"`
	IfUnused       bool           `json:"if_unused,omitempty"`
	Paused         bool           `json:"paused,omitempty"`
	Action         string         `json:"action,omitempty"` // amend, breaker: "delete", "move", "requeue", "schedule"; "open", "close"
	To             string         `json:"to,omitempty"`     // amend
	AtMillis       int64          `json:"at,omitempty"`     // amend
	Reset          bool           `json:"reset,omitempty"`  // amend
	Targets        []Target       `json:"targets,omitempty"`
	Group          string         `json:"group,omitempty"`  // groupresume
	Tenant         string         `json:"tenant,omitempty"` // tenantweight
	Weight         uint32         `json:"weight,omitempty"`
	Topic          string         `json:"topic,omitempty"` // of what makes or deletes one, or subscribes
	TopicSettings  *TopicSettings `json:"topic_settings,omitempty"`
	Filter         string         `json:"filter,omitempty"` // subscribe
	Required       bool           `json:"required,omitempty"`
	Bound          bool           `json:"bound,omitempty"`    // subscribe: it goes with its session
	NoRetry        bool           `json:"no_retry,omitempty"` // request
	Taken          []uint64       `json:"taken,omitempty"`    // request: numbers of those whose answers have come
	Version        uint16         `json:"version,omitempty"`  // version: of the state machine's rules
}

// Messages is what a command carries of them, one value for each in every
// field.
type Messages struct {
	Bodies     []string     `json:"bodies,omitempty"`     // the first 64 bytes of each
	Sizes      []int        `json:"sizes,omitempty"`      // the logical bytes of each
	Attributes []Attributes `json:"attributes,omitempty"` // none if no message has any
}

// Publishing is what a commit publishes to one queue or topic.
type Publishing struct {
	Queue string `json:"queue"`
	Messages
}

// Attributes of a message; zero is absent.
type Attributes struct {
	Priority        *uint8 `json:"priority,omitempty"` // nil: none was said
	Group           string `json:"group,omitempty"`
	TTLMillis       uint64 `json:"ttl,omitempty"`
	DelayMillis     uint64 `json:"delay,omitempty"`
	DeliverAtMillis uint64 `json:"deliver_at,omitempty"`
	DedupID         string `json:"dedup,omitempty"`
	Tenant          string `json:"tenant,omitempty"`
	Subject         string `json:"subject,omitempty"`
	ReplyTo         string `json:"reply_to,omitempty"`
	DeadlineMillis  uint64 `json:"deadline,omitempty"`
}

// Item is one settle.
type Item struct {
	Incarnation uint64 `json:"q"`
	Place       uint64 `json:"place"`
	Token       uint64 `json:"token"`
	Action      string `json:"action"` // "ack", "nack", "reject", "extend"; "reply"
	Reason      string `json:"reason,omitempty"`
	DelayMillis uint32 `json:"delay,omitempty"`
	Error       string `json:"error,omitempty"`
}

// Target is a message that an operator names.
type Target struct {
	Place    uint64 `json:"place"`
	Index    uint64 `json:"i"`
	Position uint32 `json:"p"`
}

// Settings of a queue as a command has them; zero is the default.
type Settings struct {
	MaxMessages  uint64 `json:"max_messages,omitempty"`
	MaxBytes     uint64 `json:"max_bytes,omitempty"`
	Overflow     string `json:"overflow,omitempty"` // "drop-oldest", "drop-new"
	FailureLimit int32  `json:"failure_limit,omitempty"`
	LeaseMillis  uint32 `json:"lease,omitempty"`
	DLQMessages  uint64 `json:"dlq_messages,omitempty"`
	DLQBytes     uint64 `json:"dlq_bytes,omitempty"`

	TTLMillis   uint64 `json:"ttl,omitempty"`
	ExpiredDead bool   `json:"expired_dead,omitempty"`

	Retry           string `json:"retry,omitempty"` // "fixed", "linear", "immediate"
	RetryBaseMillis uint32 `json:"retry_base,omitempty"`
	RetryMaxMillis  uint32 `json:"retry_max,omitempty"`
	RetryFactor     uint32 `json:"retry_factor,omitempty"`

	StarvationGuard int32  `json:"starvation_guard,omitempty"`
	GroupFailure    string `json:"group_failure,omitempty"` // "park", "dead", "skip"
	GroupBatch      uint32 `json:"group_batch,omitempty"`
	Exclusive       bool   `json:"exclusive,omitempty"`
	Fair            bool   `json:"fair,omitempty"`

	DedupMillis   uint32 `json:"dedup,omitempty"`
	DedupCapacity uint32 `json:"dedup_capacity,omitempty"`

	Breaker       bool   `json:"breaker,omitempty"`
	DispatchRate  uint32 `json:"dispatch_rate,omitempty"`
	DispatchBurst uint32 `json:"dispatch_burst,omitempty"`
}

// TopicSettings of a topic as a command has them; zero is the default.
type TopicSettings struct {
	DedupMillis   uint32 `json:"dedup,omitempty"`
	DedupCapacity uint32 `json:"dedup_capacity,omitempty"`
}
