package fsm

// TraceEvent is one thing that happened to a message.
type TraceEvent struct {
	Index      uint64 // of the entry
	WallMillis int64  // of the state after it
	ID         ID
	Queue      string
	Kind       string // one of the Trace constants
	Token      uint64
	Session    SessionID
	Consumer   uint32
	Node       string // through which the session was attached
	Detail     string
}

// Kinds of a TraceEvent.
const (
	TracePublished    = "published"
	TraceDuplicate    = "duplicate"
	TraceDelivered    = "delivered"
	TraceAcked        = "acked"
	TraceNacked       = "nacked"
	TraceRejected     = "rejected"
	TraceExtended     = "extended"
	TraceExpiredLease = "expired_lease"
	TraceReturned     = "returned" // without having failed: its consumer is gone
	TraceReady        = "ready"
	TraceExpired      = "expired"
	TraceDead         = "dead"
	TraceParked       = "parked"
	TraceMoved        = "moved"
	TraceDeleted      = "deleted"
	TraceRequeued     = "requeued"
	TraceScheduled    = "scheduled"
	TraceAnswered     = "answered"
	TraceDropped      = "dropped"
)

// SetTrace has f called with what happens to messages while entries are
// applied. It is no part of the state: neither a snapshot nor the digest has
// it, and what it does changes nothing. Nil, as at first, calls nobody. F must
// not use the state.
func (s *State) SetTrace(f func(TraceEvent)) { s.trace = f }

// tell tells of a message, and of the consumer that it concerns, if any.
// Callers have seen that there is somebody to tell.
func (s *State) tell(kind string, q *queue, index uint64, position uint32, c *consumer, token uint64, detail string) {
	e := TraceEvent{
		Index: s.index, WallMillis: s.clock.WallMillis, ID: ID{Group: s.group, Index: index, Position: position},
		Queue: q.name, Kind: kind, Token: token, Detail: detail,
	}
	if c != nil {
		x, _ := s.sessions.Get(c.session)
		e.Consumer, e.Session, e.Node = c.number, x.id, x.node
	}
	s.trace(e)
}

// tellEnding tells how a lease ended.
func (s *State) tellEnding(q *queue, l *lease, c *consumer, e *ending) {
	kind := TraceNacked
	switch {
	case e.outcome == toDone:
		kind = TraceAcked
	case e.outcome == toDead:
		kind = TraceRejected
	case e.cause == CauseExpired:
		kind = TraceExpiredLease
	case e.cause != CauseSettled:
		kind = TraceReturned
	}
	s.tell(kind, q, l.index, l.position, c, l.token, e.note)
}
