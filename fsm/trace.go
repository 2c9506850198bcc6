package fsm

// TraceEvent is one thing that happened to a message.
type TraceEvent struct {
	Index      uint64 // of the entry
	WallMillis int64  // of the state after it
	ID         ID
	Queue      string
	Kind       string // one of the Trace constants
	Token      uint64
	Session    SessionID // of the consumer; if it concerns none, whose operation did it; zero: time or the system did
	Consumer   uint32
	Node       string // through which the session was attached
	Detail     string
}

// doer is the session whose operation is at hand, for a trace: zero before it
// is admitted and once it is over, so that what the tail of an entry does is
// nobody's.
type doer struct {
	session SessionID
	node    string
}

// Kinds of a TraceEvent.
const (
	TracePublished    = "published"
	TraceDuplicate    = "duplicate" // published again under its message id, which was told as such
	TraceDelivered    = "delivered"
	TraceAcked        = "acked"
	TraceNacked       = "nacked"
	TraceRejected     = "rejected"
	TraceExtended     = "extended"
	TraceExpiredLease = "expired_lease"
	TraceReturned     = "returned" // its consumer is gone, or an operator took it back
	TraceReady        = "ready"
	TraceExpired      = "expired"
	TraceDead         = "dead"
	TraceParked       = "parked"
	TraceMoved        = "moved"
	TraceDeleted      = "deleted"
	TracePurged       = "purged"        // with all of its queue
	TraceQueueDeleted = "queue_deleted" // its queue was deleted, and it with it
	TraceRequeued     = "requeued"
	TraceScheduled    = "scheduled"
	TraceAnswered     = "answered"
	TraceDropped      = "dropped" // not taken: the queue was full
	TraceMissed       = "missed"  // a subscription did not take it
)

// SetTrace has f called with what happens to messages while entries are
// applied. It is no part of the state: neither a snapshot nor the digest has
// it, and what it does changes nothing. Nil, as at first, calls nobody. F must
// not use the state.
func (s *State) SetTrace(f func(TraceEvent)) { s.trace = f }

// tell tells of a message, and of the consumer that it concerns, if any; else of
// who did it. Callers have seen that there is somebody to tell.
func (s *State) tell(kind string, q *queue, index uint64, position uint32, c *consumer, token uint64, detail string) {
	e := s.event(kind, q.name, messageID{index, position})
	e.Token, e.Detail = token, detail
	if c != nil {
		x, _ := s.sessions.Get(c.session)
		e.Consumer, e.Session, e.Node = c.number, x.id, x.node
	}
	s.trace(e)
}

func (s *State) event(kind, name string, id messageID) TraceEvent {
	by := &s.work.by
	return TraceEvent{Index: s.index, WallMillis: s.clock.WallMillis, Queue: name, Kind: kind, Session: by.session, Node: by.node,
		ID: ID{Group: s.group, Index: id.index, Position: id.position}}
}

// tellRepeat tells of the first message that a publish was a duplicate of.
func (s *State) tellRepeat(t *target, v Verdict) {
	if s.trace != nil {
		s.trace(s.event(TraceDuplicate, t.name(), messageID{v.FirstIndex, v.FirstPosition}))
	}
}

// tellDropped tells of a new message that a full queue did not take.
func (s *State) tellDropped(q *queue, a *arrival) {
	if s.trace != nil {
		s.tell(TraceDropped, q, a.index, a.position, nil, 0, "the queue is full")
	}
}

// tellEnding tells how a lease ended.
func (s *State) tellEnding(q *queue, l *lease, c *consumer, e *ending) {
	kind, detail := TraceReturned, e.note
	switch {
	case e.outcome == toDone:
		kind = TraceAcked
	case e.outcome == toDead:
		kind = TraceRejected
	case e.cause == CauseExpired:
		kind = TraceExpiredLease
	case e.reason != 0:
		kind, detail = TraceNacked, e.nackInWords()
	case e.cause == CauseSettled:
		detail = "consumer cancelled"
	case e.cause == CauseSessionEnded && e.note == "":
		detail = "session ended"
	}
	s.tell(kind, q, l.index, l.position, c, l.token, detail)
}

// nackInWords is the reason, and the error if there is one.
func (e *ending) nackInWords() string {
	reason := "message"
	switch e.reason {
	case ReasonDownstream:
		reason = "downstream"
	case ReasonShutdown:
		reason = "shutdown"
	case ReasonUnstarted:
		reason = "unstarted"
	}
	if e.note == "" {
		return reason
	}
	return reason + ": " + e.note
}
