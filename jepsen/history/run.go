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
