package fsm

// Code is the verdict on a command or on one item of it: the same on every
// replica. The numbers are those of package transport.
type Code uint8

const (
	OK             Code = 0
	Duplicate      Code = 1
	Dropped        Code = 2
	AlreadyDone    Code = 3
	LeaseLost      Code = 4
	Busy           Code = 5
	Conflict       Code = 6
	NotFound       Code = 7
	Overtaken      Code = 8
	OutOfOrder     Code = 9
	SessionExpired Code = 10
	Fenced         Code = 11
	TooLarge       Code = 12
	Invalid        Code = 13
	Unsupported    Code = 14
	Denied         Code = 15
	InUse          Code = 16
	NoResponders   Code = 17 // request: nobody is attached to the queue
	ResponderLost  Code = 18 // request without retry: the holder's lease ended
	Expired        Code = 19 // request: no answer before its deadline
	DeadLettered   Code = 20 // request: its message failed too often, or was rejected or removed
)

// Cause refines Busy and LeaseLost. Those missing here are refusals from
// outside the machine.
type Cause uint8

const (
	CauseNone         Cause = 0
	CauseMessages     Cause = 1
	CauseBytes        Cause = 2
	CauseWindow       Cause = 3
	CauseSessions     Cause = 7
	CauseDedup        Cause = 8  // busy: the window of message ids is full
	CauseRequests     Cause = 10 // busy: too many unanswered requests of the session
	CauseTenants      Cause = 12 // busy: too many tenants in the queue
	CauseGroups       Cause = 13 // busy: too many message groups in the queue
	CauseRoom         Cause = 14 // busy: more old messages have to go than one entry drops
	CauseEntry        Cause = 15 // busy: the entry of the log has done enough of this, see toil.go
	CauseExpired      Cause = 16
	CauseSettled      Cause = 17
	CauseSessionEnded Cause = 18
	CauseQueueGone    Cause = 19
	CauseNotHolder    Cause = 20
	CauseUnknownToken Cause = 21
	CauseRequeued     Cause = 22 // an operator took it back
)
