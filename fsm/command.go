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

	// Publish carries Count records (package record) for one queue, each as
	// one msgpack binary, back to back.
	Publish struct {
		OpHeader
		Queue   string
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

	// Settings of a queue; zero is the default.
	Settings struct {
		MaxMessages  uint64
		MaxBytes     uint64
		Overflow     uint8
		FailureLimit int32
		LeaseMillis  uint32
		DLQMessages  uint64
		DLQBytes     uint64
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
	ReasonShutdown   Reason = 3
)
