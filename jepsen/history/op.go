package history

import "fmt"

// Kind of an operation.
type Kind string

const (
	Publish Kind = "publish"
	Deliver Kind = "deliver" // a handler was given a message: an event, Call == Return
	Ack     Kind = "ack"
	Nack    Kind = "nack"
	Reject  Kind = "reject"
	Extend  Kind = "extend"

	Create Kind = "create"
	Update Kind = "update"
	Delete Kind = "delete"
	Purge  Kind = "purge"
	Pause  Kind = "pause"
	Resume Kind = "resume"
	Read   Kind = "read" // of a queue's counts

	Lost Kind = "lost" // a consumer was told that its lease is over: an event
	Gone Kind = "gone" // a client ended its connection, or lost its session: an event
)

// Outcome of an operation, as its client was told.
type Outcome uint8

const (
	Pending Outcome = 0 // no answer at all; no run may end with one
	OK      Outcome = 1
	Fail    Outcome = 2 // it certainly did nothing
	Unknown Outcome = 3 // it may or may not have happened
)

var outcomes = [...]string{"pending", "ok", "fail", "unknown"}

func (o Outcome) String() string {
	if int(o) < len(outcomes) {
		return outcomes[o]
	}
	return fmt.Sprintf("outcome(%d)", uint8(o))
}

// Witness is where in the log an operation took effect. The zero Witness is
// none: log indexes begin at 1.
type Witness struct {
	Group    uint32 `json:"g,omitempty"`
	Index    uint64 `json:"i,omitempty"`
	Position uint32 `json:"p,omitempty"`
}

// Before tells whether w stands before x in the log of their group.
func (w Witness) Before(x Witness) bool {
	return w.Index < x.Index || w.Index == x.Index && w.Position < x.Position
}

// String is "group-index-position", as a message id is written.
func (w Witness) String() string { return fmt.Sprintf("%d-%d-%d", w.Group, w.Index, w.Position) }

// Op is one operation of one client. Times are nanoseconds since the run
// began, of one monotonic clock for all clients. What an operation does not
// have is zero.
type Op struct {
	Client   uint32  `json:"c"`
	Workload string  `json:"w"`
	Queue    string  `json:"q"`
	Kind     Kind    `json:"k"`
	Key      Key     `json:"key,omitzero"`
	Call     int64   `json:"t"`
	Return   int64   `json:"r"` // 0: never answered
	Outcome  Outcome `json:"o"`
	Code     string  `json:"code,omitempty"` // of a refusal: "lease_lost", "busy", …
	Cause    string  `json:"cause,omitempty"`

	// At is the witness of an operation that was answered ok, or refused by
	// the state machine. Of an ok publish it is the message's id.
	At Witness `json:"at,omitzero"`

	// ID is the message's id as a delivery, or the settle of one, has it.
	ID          Witness `json:"id,omitzero"`
	Consumer    uint32  `json:"consumer,omitempty"` // unique in the run; of deliveries and settles
	Token       uint64  `json:"token,omitempty"`    // 0: a consumer without acks
	Attempt     int     `json:"attempt,omitempty"`
	Failures    int     `json:"failures,omitempty"`
	Redelivered bool    `json:"again,omitempty"`
	Dead        string  `json:"dead,omitempty"` // of a dead letter's delivery: its reason

	Number uint64 `json:"n,omitempty"`     // the operation number
	Sends  int    `json:"sends,omitempty"` // above 1: it was sent again under its number
	Value  uint64 `json:"v,omitempty"`     // purge: messages; an extension or a lease: its milliseconds
	Counts *Queue `json:"counts,omitempty"`
	Error  string `json:"error,omitempty"`
}

// String names the operation for a person.
func (o Op) String() string {
	s := fmt.Sprintf("%.3fs client %d %s %s", float64(o.Call)/1e9, o.Client, o.Kind, o.Queue)
	if o.Key != (Key{}) {
		s += " " + o.Key.String()
	}
	if o.Token != 0 {
		s += fmt.Sprintf(" token %d attempt %d", o.Token, o.Attempt)
	}
	if o.Kind != Deliver {
		s += " " + o.Outcome.String()
	}
	if o.Code != "" {
		s += " " + o.Code
	}
	if o.At != (Witness{}) {
		s += " at " + o.At.String()
	}
	return s
}

// Queue is the counts of a queue, as a replica has them.
type Queue struct {
	Name        string `json:"name"`
	Incarnation uint64 `json:"incarnation"`
	Ready       uint64 `json:"ready"`
	Leased      uint64 `json:"leased"`
	Scheduled   uint64 `json:"scheduled,omitempty"` // not due yet
	Retrying    uint64 `json:"retrying,omitempty"`  // wait for their next attempt
	Parked      uint64 `json:"parked"`
	Published   uint64 `json:"published"`
	Acked       uint64 `json:"acked"`
	Dead        uint64 `json:"dead"`
	Purged      uint64 `json:"purged"`
	Expired     uint64 `json:"expired,omitempty"`
	Overflowed  uint64 `json:"overflowed,omitempty"` // old or new, because the queue was full
	Missed      uint64 `json:"missed,omitempty"`     // of a subscription: published while it could not take them
	Duplicates  uint64 `json:"duplicates,omitempty"` // refused by the window of message ids
}

// Left is how many messages the queue still has.
func (q Queue) Left() uint64 { return q.Ready + q.Leased + q.Scheduled + q.Retrying + q.Parked }
