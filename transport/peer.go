package transport

// PeerHello is the first frame in both directions of the link between two nodes.
type PeerHello struct {
	Node       string // name
	ServerID   string // Raft's name of the node, new with every data folder
	Boot       uint64 // random, new with every start of the process
	ClientAddr string // what clients are told
	PeerAddr   string // what nodes dial
	WallMs     int64
	HasState   bool
	Build      string
}

// PeerClock is sent every few seconds: the sender's wall clock.
type PeerClock struct {
	WallMs int64
}

// PeerSubmit carries encoded commands (package fsm) for a group that the
// receiver leads. Command i is answered under First+i.
type PeerSubmit struct {
	Group    uint32
	First    uint64
	Count    uint32
	Commands []byte // Count msgpack binaries back to back; aliases the frame
}

// PeerResult answers one submitted command.
type PeerResult struct {
	Number uint64 // First+i of its PeerSubmit
	Result Result
}

// PeerDelivery is a delivery for a session attached through the receiver.
type PeerDelivery struct {
	Session  SessionID
	Epoch    uint64
	Delivery Delivery // its Handle is unused
}

// PeerClosed is Closed for a session attached through the receiver.
type PeerClosed struct {
	Session SessionID
	Epoch   uint64
	Closed  Closed // its Handle is unused
}

// PeerAnswer is an Answer for a session attached through the receiver.
type PeerAnswer struct {
	Session SessionID
	Epoch   uint64
	Answer  Answer // its Handle is unused
}

// PeerEvents is Events for all connections of a node. One without content says
// that the sender began to lead anew in the same term, which detached every
// session: clients are to attach again.
type PeerEvents struct {
	Group      uint32
	Term       uint64 // the sender leads in
	Results    []PeerResult
	Deliveries []PeerDelivery
	Closed     []PeerClosed

	// later

	Answers []PeerAnswer
}

// PeerRequest asks for something outside of the log: a read at the leader, to
// join, statistics, a transfer of leadership. Body and reply depend on Kind.
type PeerRequest struct {
	Kind string
	Body []byte
}

// PeerReply answers a PeerRequest on its stream.
type PeerReply struct {
	Error *Error
	Body  []byte
}
