package transport

// The bodies of the frames. Every body is a msgpack array of its fields in the
// order given here; a decoder ignores further elements, so a field may be
// added at the end. Fields under the word "later" were added since the first
// form of their struct: they may be missing, and are zero then. Hot bodies
// (Publish, Settle, Commit, Amend, Request, Reply, Credit, Events and the Peer
// bodies that carry them) are encoded by hand, the rest by the msgpack library.
//
// Commits, requests, amendments, topics, settings and what queries answer have
// files of their own: commit.go, request.go, operator.go, topic.go,
// settings.go, info.go, browse.go, explain.go.

// SessionID and Secret are chosen at random by the client.
type (
	SessionID [16]byte
	Secret    [16]byte
)

// Hello opens a client's connection.
type Hello struct {
	VersionMin  uint16
	VersionMax  uint16
	Client      string // name and version of the library, for people
	Name        string // the application's own name, for people
	FrameMax    uint32 // largest payload the client takes, bytes
	HeartbeatMs uint32 // proposed; the server answers with what holds
	TLS         bool   // reserved: refused with CodeUnsupported
	Auth        string // reserved: a mechanism; anything but "" is refused
	AuthData    []byte // reserved
	Compression string // reserved: anything but "" is refused
}

// HelloOK tells what holds on this connection.
type HelloOK struct {
	Version     uint16
	ClusterID   [16]byte
	Node        string // name of this node
	FrameMax    uint32
	MessageMax  uint32 // bytes, headers included
	MessagesMax uint32 // per frame
	WindowMax   uint32 // unanswered operations a session and group
	HeartbeatMs uint32 // either side may close after three without a byte
	Groups      []GroupInfo
	Nodes       []NodeInfo
}

// GroupInfo says who leads a group, as far as this node knows.
type GroupInfo struct {
	Group      uint32
	Leader     string // node name, "" when unknown
	LeaderAddr string // the leader's client address
	Term       uint64
}

// NodeInfo is a node a client can connect to.
type NodeInfo struct {
	Node       string
	ClientAddr string
}

// Open makes the session's record in a group. Sent before the first operation
// there, repeated until it is answered, never sent again.
type Open struct {
	Group        uint32
	Session      SessionID
	Secret       Secret
	IdleExpiryMs uint32 // 0: the default of 1 h
}

// Attach binds the session to this connection. The handle is chosen by the
// client, unique on the connection, and names (session, group) in operations.
type Attach struct {
	Handle  uint32
	Group   uint32
	Session SessionID
	Secret  Secret
	Epoch   uint64
	Resume  bool     // explicit resume by a user: may go above another process's epoch
	Tokens  []uint64 // leases the client holds; the others are delivered again
}

// End gives the session up: its leases return, its record goes.
type End struct {
	Handle uint32
}

// Reattach tells a client that the group's leadership moved.
type Reattach struct {
	Handle uint32
	Group  GroupInfo
}

// OpHeader numbers an operation.
type OpHeader struct {
	Handle          uint32
	Number          uint64 // rises by one per (session, group), from 1
	AnsweredThrough uint64
	Ordered         bool
	Predecessor     uint64 // with Ordered: the last accepted ordered operation, 0 at first
}

// Publish carries messages for one queue or topic. Records are the messages' bytes
// (package record), each as one msgpack binary, back to back; they are never
// re-encoded.
type Publish struct {
	OpHeader
	Queue   string
	Count   uint32
	Records []byte // Count msgpack binaries; aliases the frame
}

// Action of a settle.
type Action uint8

const (
	ActionAck    Action = 1
	ActionNack   Action = 2 // back to its place, for another attempt
	ActionReject Action = 3 // to the dead-letter queue
	ActionExtend Action = 4 // the lease starts anew
)

// Reason of a nack.
type Reason uint8

const (
	ReasonMessage    Reason = 1 // counts as a failure of the message
	ReasonDownstream Reason = 2 // not the message's fault
	ReasonShutdown   Reason = 3 // counts nothing; a request without retry is lost, as work on it may have begun
	ReasonUnstarted  Reason = 4 // counts nothing: no work on it has begun
)

// SettleItem settles one delivery.
type SettleItem struct {
	Incarnation uint64 // of the queue
	Place       uint64
	Token       uint64
	Action      Action
	Reason      Reason // of a nack
	DelayMs     uint32 // of a nack: until the next attempt; 0: by the queue's policy; at most 86,400,000
	Error       string // of a nack or reject, for the dead letter; at most 1,024 bytes are kept
}

// Settle settles deliveries; each is judged for itself, in order.
type Settle struct {
	OpHeader
	Items []SettleItem
}

// Consume attaches a consumer. The number is chosen by the client, unique in
// its session and group. Repeating it with the same settings is CodeOK.
type Consume struct {
	OpHeader
	Consumer       uint32
	Queue          string
	CreditMessages uint32 // 0: the default of 32
	CreditBytes    uint32 // 0: the default of 8 MiB
	Concurrency    uint32 // 0: 1; handlers that run at once, decides which leases are started
	NoAck          bool   // at-most-once
	LeaseMs        uint32 // 0: the queue's
}

// Cancel ends a consumer.
type Cancel struct {
	OpHeader
	Consumer uint32
	Return   bool // hand its unsettled messages back, uncounted; else it ends when the last is settled
}

// Credit says how many assignments a consumer without acks has taken.
type Credit struct {
	Handle   uint32
	Consumer uint32
	Through  uint64
}

type QueueCreate struct {
	OpHeader
	Queue    string
	Settings QueueSettings
}

type QueueUpdate struct {
	OpHeader
	Queue    string
	Settings QueueSettings
}

type QueueDelete struct {
	OpHeader
	Queue    string
	IfEmpty  bool
	IfUnused bool
}

type QueuePurge struct {
	OpHeader
	Queue string
}

type QueuePause struct {
	OpHeader
	Queue  string
	Paused bool
}

// Result answers one operation, Open, Attach, End or Await.
type Result struct {
	Stream       uint32 // of the request
	Code         Code
	Cause        Cause
	RetryAfterMs uint32
	Index        uint64 // witness: the entry in which it took effect
	Position     uint32 // witness: its first position there; message i of a publish has Position+i
	Value        uint64 // Attach: highest number judged; fenced: the current epoch; purge and GroupResume: messages; Consume, creates and Subscribe: the incarnation; publish to topics: messages put into queues; Await: 1 if the answer is there
	Detail       string
	Items        []Verdict // one for each message, settle or amended message, or none when all have Code
}

// Verdict on one item of an operation: a message, a settle or an amendment.
type Verdict struct {
	Code         Code
	Cause        Cause
	RetryAfterMs uint32

	// later; sent only if they are not zero

	FirstIndex    uint64 // CodeDuplicate: with FirstPosition, the id of the message that was first; 0: not told
	FirstPosition uint32
}

// Delivery hands a message to a consumer.
type Delivery struct {
	Handle      uint32
	Consumer    uint32
	Incarnation uint64 // of the queue
	Place       uint64
	Token       uint64 // fencing token; 0 without acks
	Number      uint64 // assignment number, without acks
	Group       uint32 // Group, Index, Position: the message's id
	Index       uint64
	Position    uint32
	Attempt     uint32 // 1 at first
	Failures    uint32
	LeaseMs     uint32 // length of the lease when it was given
	EnqueuedMs  int64  // wall clock of its entry, Unix milliseconds
	Death       *Death // of a dead letter
	Record      []byte // aliases the frame

	// later; sent only if it is true

	Request bool // the message asks for a Reply
}

// Death says why a message is in a dead-letter queue.
type Death struct {
	Queue    string
	Reason   string // one of the Death constants
	Attempts uint32
	Failures uint32
	Error    string // of the last failure
	AtMs     int64

	// later

	History   []Attempt `body:"later"` // the last 16, oldest first
	Forgotten uint32    // attempts before those
}

// Reasons of a Death.
const (
	DeathFailures = "failures"
	DeathRejected = "rejected"
	DeathExpired  = "expired"
	DeathOverflow = "overflow" // made room for a newer message
	DeathGroup    = "group"    // followed the head of its message group
)

// Attempt is how one lease of a message ended without success.
type Attempt struct {
	AtMs     int64 // wall clock of the end, Unix milliseconds
	Session  SessionID
	Consumer uint32
	Token    uint64
	Error    string
}

// Closed tells that a consumer ended without being asked to.
type Closed struct {
	Handle   uint32
	Consumer uint32
	Code     Code // CodeNotFound: its queue was deleted; CodeFenced, CodeSessionExpired
}

// Events carries everything one entry has for one connection.
type Events struct {
	Results    []Result
	Deliveries []Delivery
	Closed     []Closed

	// later

	Answers []Answer
}

// Error about one stream.
type Error struct {
	Code         Code
	Message      string
	Retryable    bool
	RetryAfterMs uint32
	Leader       *GroupInfo
}

// GoAway says where to go.
type GoAway struct {
	Message string
	Nodes   []NodeInfo
}

// Query asks for state. Body and reply depend on Kind and are msgpack.
type Query struct {
	Kind  string // one of the Query constants
	Group uint32
	Name  string // of a queue or topic, or a prefix
	After string // paging: names greater than this
	Limit uint32
	Stale bool // answered from this node's own state

	// later

	Body []byte `body:"later"` // of a browse: BrowseQuery; of a trace: TraceQuery; else empty
}

// Kinds of a Query, and what their QueryReply holds.
const (
	QueryQueues        = "queues"        // QueueList: whose names begin with Name
	QueryQueue         = "queue"         // QueueInfo
	QueryTopics        = "topics"        // TopicList: whose names begin with Name
	QueryTopic         = "topic"         // TopicInfo
	QuerySubscriptions = "subscriptions" // QueueList: those of the topic Name
	QueryTenants       = "tenants"       // TenantList: those of the queue Name that have a weight
	QueryBrowse        = "browse"        // BrowseReply
	QueryExplain       = "explain"       // ExplainReply: about the queue Name
	QueryTrace         = "trace"         // TraceReply
	QueryCluster       = "cluster"       // ClusterInfo
	QueryNodes         = "nodes"         // []NodeInfo
)

// Control changes membership or leadership of a group.
type Control struct {
	Kind  string // "transfer-leader", "remove"
	Group uint32
	Node  string // target; "" for transfer-leader: any; a server id, too, for remove
}

// QueryReply answers a Query or Control.
type QueryReply struct {
	Index uint64 // the state answered from
	Stale bool
	Body  []byte
}

// ClusterInfo is the reply to "cluster".
type ClusterInfo struct {
	ClusterID [16]byte
	Node      string // who answered
	Groups    []GroupStatus
}

// GroupStatus is a group as its leader (or, stale, the node asked) sees it.
type GroupStatus struct {
	Group        uint32
	Leader       string
	Term         uint64
	CommitIndex  uint64
	AppliedIndex uint64
	Digest       string // hex of the running digest at AppliedIndex
	Members      []MemberInfo

	// later

	Alarms []string `body:"later"` // that make this node refuse publishes while it leads: memory, disk, lag
}

// MemberInfo is one replica of a group.
type MemberInfo struct {
	Node          string
	ServerID      string
	Addr          string
	ClientAddr    string
	Voter         bool
	Leader        bool
	Healthy       bool
	LastIndex     uint64
	LastContactMs int64 // -1: unknown
}
