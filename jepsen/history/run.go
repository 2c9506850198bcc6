package history

import "time"

// Run is everything that a checker may look at.
type Run struct {
	Seed    uint64    `json:"seed"`
	Nemesis string    `json:"nemesis"`
	Began   time.Time `json:"began"`
	Nodes   []string  `json:"nodes"`

	// Nanoseconds since Began.
	Healed  int64 `json:"healed"`  // the last fault was over
	Stopped int64 `json:"stopped"` // workloads were told to end
	Drained int64 `json:"drained"` // every queue was empty
	Ended   int64 `json:"ended"`

	Ops      []Op      `json:"-"`
	Faults   []Fault   `json:"faults"`
	Probes   []Probe   `json:"-"`
	Log      []Entry   `json:"-"` // committed, by index; there may be holes
	Replicas []Replica `json:"replicas"`
}

// Fault is one fault, from the moment at which it was made to the one at which
// it was lifted.
type Fault struct {
	Name   string   `json:"name"`
	Nodes  []string `json:"nodes,omitempty"` // hurt
	From   int64    `json:"from"`            // ns since the run began
	To     int64    `json:"to"`
	Frozen bool     `json:"frozen,omitempty"` // a majority was left all the time, and must have served
	Leader bool     `json:"leader,omitempty"` // it hit the leader
	Bites  []Bite   `json:"bites"`
}

// Bite is an observation that a fault did hurt: packets dropped, a call that
// failed with EIO, a process that was gone.
type Bite struct {
	What  string `json:"what"`
	Count int64  `json:"count"`
}

// Bitten tells whether the fault was observed to bite.
func (f Fault) Bitten() bool {
	for _, b := range f.Bites {
		if b.Count > 0 {
			return true
		}
	}
	return false
}

// Probe is what one node said of itself at one moment.
type Probe struct {
	At      int64  `json:"t"`
	Node    string `json:"node"`
	Leader  string `json:"leader"` // "" when it knows of none
	Term    uint64 `json:"term"`
	Applied uint64 `json:"applied"`
	Commit  uint64 `json:"commit"`
	Digest  string `json:"digest"` // the running digest at Applied
	Error   string `json:"error,omitempty"`
}

// Replica is a node in the end, when the cluster was whole and drained. All
// replicas are at one index if they agree.
type Replica struct {
	Node    string  `json:"node"`
	Applied uint64  `json:"applied"`
	Digest  string  `json:"digest"`
	Queues  []Queue `json:"queues"` // its own view, not the leader's
}

// Entry is a committed entry of the log.
type Entry struct {
	Index       uint64    `json:"index"`
	Term        uint64    `json:"term"`
	WallMillis  int64     `json:"wall"`
	LeaseMillis int64     `json:"lease"`
	Void        bool      `json:"void,omitempty"` // appended in another term than proposed in: no effect
	Commands    []Command `json:"commands,omitempty"`
}

// Command is one command of an entry. Fields that its kind does not have are zero.
type Command struct {
	Kind            string    `json:"kind"`              // "publish", "settle", "attach", …: the state machine's names in lower case
	Session         string    `json:"session,omitempty"` // hex
	Epoch           uint64    `json:"epoch,omitempty"`
	Number          uint64    `json:"number,omitempty"`
	AnsweredThrough uint64    `json:"answered,omitempty"`
	Ordered         bool      `json:"ordered,omitempty"`
	Predecessor     uint64    `json:"predecessor,omitempty"`
	Queue           string    `json:"queue,omitempty"`
	Bodies          []string  `json:"bodies,omitempty"` // publish: the first 64 bytes of each body
	Sizes           []int     `json:"sizes,omitempty"`  // publish: the logical bytes of each message
	Items           []Item    `json:"items,omitempty"`  // settle
	Consumer        uint32    `json:"consumer,omitempty"`
	NoAck           bool      `json:"noack,omitempty"`
	CreditMessages  uint32    `json:"credit,omitempty"`
	CreditBytes     uint32    `json:"credit_bytes,omitempty"`
	Concurrency     uint32    `json:"concurrency,omitempty"`
	LeaseMillis     uint32    `json:"lease,omitempty"` // consume
	Return          bool      `json:"return,omitempty"`
	Through         uint64    `json:"through,omitempty"`
	Node            string    `json:"node,omitempty"`
	Cause           string    `json:"cause,omitempty"` // detach: "connection" or "node"
	Resume          bool      `json:"resume,omitempty"`
	IdleMillis      uint32    `json:"idle,omitempty"`   // open
	Tokens          []uint64  `json:"tokens,omitempty"` // attach
	Settings        *Settings `json:"settings,omitempty"`
	IfEmpty         bool      `json:"if_empty,omitempty"`
	IfUnused        bool      `json:"if_unused,omitempty"`
	Paused          bool      `json:"paused,omitempty"`
}

// Item is one settle of a settle command.
type Item struct {
	Incarnation uint64 `json:"q"`
	Place       uint64 `json:"place"`
	Token       uint64 `json:"token"`
	Action      string `json:"action"` // "ack", "nack", "reject", "extend"
	Reason      string `json:"reason,omitempty"`
}

// Settings of a queue as a command has them; zero is the default.
type Settings struct {
	MaxMessages  uint64 `json:"max_messages,omitempty"`
	MaxBytes     uint64 `json:"max_bytes,omitempty"`
	FailureLimit int32  `json:"failure_limit,omitempty"`
	LeaseMillis  uint32 `json:"lease,omitempty"`
	DLQMessages  uint64 `json:"dlq_messages,omitempty"`
	DLQBytes     uint64 `json:"dlq_bytes,omitempty"`
}
