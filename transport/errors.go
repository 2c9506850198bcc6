package transport

// Code is the outcome of an operation or the reason of an error. Codes below
// 256 are verdicts of the state machine and have the same numbers there
// (package fsm); the others arise outside of it.
type Code uint16

const (
	CodeOK             Code = 0
	CodeDuplicate      Code = 1  // a positive confirm: it was there already
	CodeDropped        Code = 2  // taken and dropped by the queue's policy
	CodeAlreadyDone    Code = 3  // at or below answered_through: the client said that it would never ask
	CodeLeaseLost      Code = 4  // the token is no longer the message's; Cause says why
	CodeBusy           Code = 5  // try again after RetryAfter; Cause says what is full
	CodeConflict       Code = 6  // exists with other settings
	CodeNotFound       Code = 7  // no such queue, consumer or message
	CodeOvertaken      Code = 8  // certainly never applied: a later number was judged first
	CodeOutOfOrder     Code = 9  // the predecessor named is not the last accepted operation
	CodeSessionExpired Code = 10 // the group has no record of this session
	CodeFenced         Code = 11 // a higher epoch holds the session; final
	CodeTooLarge       Code = 12
	CodeInvalid        Code = 13 // Detail names what was wrong
	CodeUnsupported    Code = 14 // understood, but not in the active machine version
	CodeDenied         Code = 15 // wrong session secret, or no right
	CodeInUse          Code = 16 // delete with if-unused or if-empty; amend of a leased message
	CodeNoResponders   Code = 17 // request: no consumer is attached to the queue, nothing was stored
	CodeResponderLost  Code = 18 // request without retry: the lease of its message ended unsettled
	CodeExpired        Code = 19 // request: no answer before its deadline
	CodeDeadLettered   Code = 20 // request: its message failed too often, or was rejected or removed

	CodeUnknownOutcome Code = 256 // it may or may not have been applied: ask again with the same number
	CodeNoLeader       Code = 257 // no leader is known, nothing was applied
	CodeNotLeader      Code = 258 // between nodes and to followers of leaders only; never reaches a user
	CodeMalformed      Code = 259 // the frame could not be decoded; Detail names the offset
	CodeVersion        Code = 260 // no common protocol version
	CodeHandshake      Code = 261 // something before Hello, wrong cluster, late Hello, failed proof
	CodeShuttingDown   Code = 262
	CodeTimeout        Code = 263 // a deadline passed before dispatch: nothing was applied
	CodeLimit          Code = 264 // a limit of this connection or node (frame size, handles, connections)
	CodeInternal       Code = 265
)

// Cause refines CodeBusy and CodeLeaseLost. The state machine's numbers are
// the same (package fsm).
type Cause uint8

const (
	CauseNone         Cause = 0
	CauseMessages     Cause = 1  // busy: the queue's message limit
	CauseBytes        Cause = 2  // busy: the queue's byte limit
	CauseWindow       Cause = 3  // busy: too many unanswered operations
	CauseMemory       Cause = 4  // busy: the node's memory limit
	CauseDisk         Cause = 5  // busy: the node's disk
	CauseOutbox       Cause = 6  // busy: a bounded buffer between nodes is full
	CauseSessions     Cause = 7  // busy: too many sessions, queues or consumers in the group
	CauseDedup        Cause = 8  // busy: the window of dedup ids is full
	CauseRate         Cause = 9  // busy: the connection publishes faster than it may
	CauseRequests     Cause = 10 // busy: too many unanswered requests of the session
	CauseLag          Cause = 11 // busy: the group applies its log too far behind
	CauseTenants      Cause = 12 // busy: too many tenants in the queue
	CauseGroups       Cause = 13 // busy: too many message groups in the queue
	CauseRoom         Cause = 14 // busy: more old messages have to go than one entry drops; some went
	CauseEntry        Cause = 15 // busy: one entry of the log does only so much of this
	CauseExpired      Cause = 16 // lease_lost: the lease ran out
	CauseSettled      Cause = 17 // lease_lost: settled already
	CauseSessionEnded Cause = 18 // lease_lost: the session's grace ended
	CauseQueueGone    Cause = 19 // lease_lost: the queue was deleted
	CauseNotHolder    Cause = 20 // lease_lost: somebody else's message
	CauseUnknownToken Cause = 21 // lease_lost: never given out, or long settled
	CauseRequeued     Cause = 22 // lease_lost: an operator took the message back
)
