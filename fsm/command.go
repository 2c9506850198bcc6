package fsm

// Version is a set of rules: any change of an outcome is a new version. The
// active one is state, raised by an entry once every member supports it.
type Version uint16

// VersionCurrent is the newest version this build knows.
const VersionCurrent Version = 1

// Kind of a command.
type Kind uint8

const (
	KindLeader      Kind = 1 // Leader: a new leader's first entry
	KindDetachNode  Kind = 2 // DetachNode: the link to a node was lost
	KindOpen        Kind = 3
	KindAttach      Kind = 4
	KindDetach      Kind = 5
	KindEnd         Kind = 6
	KindPublish     Kind = 7
	KindSettle      Kind = 8
	KindConsume     Kind = 9
	KindCancel      Kind = 10
	KindCredit      Kind = 11
	KindQueueCreate Kind = 12
	KindQueueUpdate Kind = 13
	KindQueueDelete Kind = 14
	KindQueuePurge  Kind = 15
	KindQueuePause  Kind = 16
	KindVersion     Kind = 17 // SetVersion
	KindCheckpoint  Kind = 18 // Checkpoint: replicas take the full hash here

	KindCommit       Kind = 19
	KindAmend        Kind = 20
	KindBreaker      Kind = 21
	KindGroupResume  Kind = 22
	KindTenantWeight Kind = 23
	KindTopicCreate  Kind = 24
	KindTopicDelete  Kind = 25
	KindSubscribe    Kind = 26
	KindRequest      Kind = 27
	KindReply        Kind = 28
	KindAwait        Kind = 29
)

// SessionID is chosen at random by the client.
type SessionID [16]byte

// SecretHash is the SHA-256 of a session's secret, the only form that enters the log.
type SecretHash [32]byte

// ID names a message for life: where it entered the log.
type ID struct {
	Group    uint32
	Index    uint64
	Position uint32
}

// Clock is what an entry moves time with.
type Clock struct {
	WallMillis  int64 // Unix
	LeaseMillis int64 // since the group began; stands still while it has no leader
}

// OpHeader numbers an operation; see DESIGN "operation numbers" in docs.
type OpHeader struct {
	Session         SessionID
	Epoch           uint64
	Number          uint64
	AnsweredThrough uint64
	Ordered         bool
	Predecessor     uint64
}

// Commands. Principal is carried by every command of a client and is not
// judged in Apply.
type (
	// Leader detaches every attached session.
	Leader struct{ Node string }

	// DetachNode detaches the sessions attached through Node.
	DetachNode struct{ Node string }

	// Open makes a session's record.
	Open struct {
		Session          SessionID
		Secret           SecretHash
		Principal        string
		IdleExpiryMillis uint32 // 0: an hour
	}

	// Attach binds a session to a connection at a node.
	Attach struct {
		Session SessionID
		Secret  SecretHash
		Epoch   uint64
		Node    string
		Resume  bool
		Tokens  []uint64 // held by the client; ascending
	}

	// Detach acts only if epoch and node are both current.
	Detach struct {
		Session SessionID
		Epoch   uint64
		Node    string
		Cause   DetachCause
	}

	// End gives a session up.
	End struct {
		Session SessionID
		Epoch   uint64
	}

	// Publish carries Count records (package record) for one queue or topic,
	// each as one msgpack binary, back to back.
	Publish struct {
		OpHeader
		Queue   string // or topic
		Count   uint32
		Records []byte
	}

	// SettleItem settles one delivery.
	SettleItem struct {
		Incarnation uint64
		Place       uint64
		Token       uint64
		Action      Action
		Reason      Reason
		DelayMillis uint32
		Error       string
	}

	// Settle settles deliveries, each judged for itself.
	Settle struct {
		OpHeader
		Items []SettleItem
	}

	// Consume attaches a consumer.
	Consume struct {
		OpHeader
		Consumer       uint32
		Queue          string
		CreditMessages uint32
		CreditBytes    uint32
		Concurrency    uint32
		NoAck          bool
		LeaseMillis    uint32
	}

	// Cancel ends a consumer.
	Cancel struct {
		OpHeader
		Consumer uint32
		Return   bool
	}

	// Credit says how far a consumer without acks has taken its assignments.
	Credit struct {
		Session  SessionID
		Epoch    uint64
		Consumer uint32
		Through  uint64
	}

	QueueCreate struct {
		OpHeader
		Queue    string
		Settings Settings
	}

	QueueUpdate struct {
		OpHeader
		Queue    string
		Settings Settings
	}

	QueueDelete struct {
		OpHeader
		Queue    string
		IfEmpty  bool
		IfUnused bool
	}

	QueuePurge struct {
		OpHeader
		Queue string
	}

	QueuePause struct {
		OpHeader
		Queue  string
		Paused bool
	}

	// Commit settles and publishes in one step: all of it or nothing.
	Commit struct {
		OpHeader
		Settles   []SettleItem
		Publishes []CommitPublish
	}

	// CommitPublish is what a Commit publishes to one queue or topic, as in
	// Publish.
	CommitPublish struct {
		Queue   string
		Count   uint32
		Records []byte
	}

	// AmendItem names a message: by its place, and by its id so that nothing
	// else is hit when the place is another message's by now.
	AmendItem struct {
		Place    uint64
		Index    uint64
		Position uint32
	}

	// Amend does one thing to messages of a queue, each judged for itself.
	Amend struct {
		OpHeader
		Queue    string
		Action   AmendAction
		To       string // AmendMove: the queue, or "" for where a dead letter came from
		AtMillis int64  // AmendSchedule: wall clock; at or before the state's is now
		Reset    bool   // AmendMove: forget attempts, failures and history
		Items    []AmendItem
	}

	// Breaker opens or closes a queue's circuit breaker by hand.
	Breaker struct {
		OpHeader
		Queue  string
		Action BreakerAction
	}

	// GroupResume lets a parked message group go on.
	GroupResume struct {
		OpHeader
		Queue string
		Group string
	}

	// TenantWeight sets how many messages a tenant of a fair queue gets in a
	// round; 0 is 1.
	TenantWeight struct {
		OpHeader
		Queue  string
		Tenant string
		Weight uint32
	}

	TopicCreate struct {
		OpHeader
		Topic    string
		Settings TopicSettings
	}

	// TopicDelete deletes the topic and its subscriptions with their messages.
	TopicDelete struct {
		OpHeader
		Topic    string
		IfUnused bool // only without subscriptions
	}

	// Subscribe makes a subscription: a queue that gets what is published to
	// the topic under a subject that its filter matches.
	Subscribe struct {
		OpHeader
		Topic    string
		Queue    string
		Filter   string
		Required bool // a publish is refused while this subscription is full
		Session  bool // deleted when the session ends
		Settings Settings
	}

	// Request publishes one record that asks for an answer until its deadline
	// attribute.
	Request struct {
		OpHeader
		Queue   string
		NoRetry bool     // the loss of its responder is the answer
		Taken   []uint64 // numbers of requests whose answers have come: they are kept no longer
		Records []byte
	}

	// Reply settles a request's delivery with its answer, a record.
	Reply struct {
		OpHeader
		Incarnation uint64
		Place       uint64
		Token       uint64
		Records     []byte
	}

	// Await asks again for the answer to a request, by its operation number.
	Await struct {
		Session SessionID
		Epoch   uint64
		Number  uint64
	}

	// SetVersion raises the active version.
	SetVersion struct{ Version Version }

	// Checkpoint asks every replica for its full hash at this entry.
	Checkpoint struct{}
)

// DetachCause decides a detached session's grace.
type DetachCause uint8

const (
	DetachConnection DetachCause = 1 // its connection broke: 5 s
	DetachNodeLost   DetachCause = 2 // its node or the leader was lost: 30 s
)

// Action of a settle.
type Action uint8

const (
	ActionAck    Action = 1
	ActionNack   Action = 2
	ActionReject Action = 3
	ActionExtend Action = 4
)

// Reason of a nack.
type Reason uint8

const (
	ReasonMessage    Reason = 1
	ReasonDownstream Reason = 2
	ReasonShutdown   Reason = 3 // its consumer stops
	ReasonUnstarted  Reason = 4 // so it does, and has not begun with the message
)

// AmendAction is what an Amend does to a message.
type AmendAction uint8

const (
	AmendDelete   AmendAction = 1 // gone for good; not a leased one
	AmendMove     AmendAction = 2 // to another queue, under the same id; not a leased one
	AmendRequeue  AmendAction = 3 // ready now, behind everything else; its lease, if it has one, ends
	AmendSchedule AmendAction = 4 // ready at a time; not a leased one
)

// BreakerAction is what an operator does to a breaker.
type BreakerAction uint8

const (
	BreakerOpen  BreakerAction = 1 // until it is closed by hand
	BreakerClose BreakerAction = 2 // its window starts anew
)
