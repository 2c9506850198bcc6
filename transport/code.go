package transport

import (
	"errors"
	"fmt"
	"strconv"
)

var codeNames = map[Code]string{
	CodeOK: "ok", CodeDuplicate: "duplicate", CodeDropped: "dropped",
	CodeAlreadyDone: "already_done", CodeLeaseLost: "lease_lost", CodeBusy: "busy",
	CodeConflict: "conflict", CodeNotFound: "not_found", CodeOvertaken: "overtaken",
	CodeOutOfOrder: "out_of_order", CodeSessionExpired: "session_expired", CodeFenced: "fenced",
	CodeTooLarge: "too_large", CodeInvalid: "invalid", CodeUnsupported: "unsupported",
	CodeDenied: "denied", CodeInUse: "in_use", CodeNoResponders: "no_responders",
	CodeResponderLost: "responder_lost", CodeExpired: "expired", CodeDeadLettered: "dead_lettered",
	CodeUnknownOutcome: "unknown_outcome", CodeNoLeader: "no_leader", CodeNotLeader: "not_leader",
	CodeMalformed: "malformed", CodeVersion: "version", CodeHandshake: "handshake",
	CodeShuttingDown: "shutting_down", CodeTimeout: "timeout", CodeLimit: "limit",
	CodeInternal: "internal",
}

var causeNames = map[Cause]string{
	CauseNone: "none", CauseMessages: "messages", CauseBytes: "bytes", CauseWindow: "window",
	CauseMemory: "memory", CauseDisk: "disk", CauseOutbox: "outbox", CauseSessions: "sessions",
	CauseDedup: "dedup", CauseRate: "rate", CauseRequests: "requests", CauseLag: "lag",
	CauseTenants: "tenants", CauseGroups: "groups", CauseRoom: "room", CauseEntry: "entry",
	CauseExpired: "expired", CauseSettled: "settled", CauseSessionEnded: "session_ended",
	CauseQueueGone: "queue_gone", CauseNotHolder: "not_holder", CauseUnknownToken: "unknown_token",
	CauseRequeued: "requeued",
}

// String is the name of the code in documents and messages.
func (c Code) String() string {
	if name, ok := codeNames[c]; ok {
		return name
	}
	return "code " + strconv.Itoa(int(c))
}

// String is the name of the cause in documents and messages.
func (c Cause) String() string {
	if name, ok := causeNames[c]; ok {
		return name
	}
	return "cause " + strconv.Itoa(int(c))
}

// Error makes a code a target for errors.Is: errors.Is(err, CodeBusy).
func (c Code) Error() string { return c.String() }

// Retryable tells that the same request may succeed later. For an operation
// this means: for busy under a new number, for the others under the same one,
// after attaching again.
func (c Code) Retryable() bool {
	switch c {
	case CodeBusy, CodeUnknownOutcome, CodeNoLeader, CodeNotLeader, CodeShuttingDown, CodeTimeout:
		return true
	}
	return false
}

// Accepted tells that an item was taken: a positive answer.
func (c Code) Accepted() bool {
	return c == CodeOK || c == CodeDuplicate || c == CodeDropped
}

// Errorf makes an Error whose Retryable is its code's.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...), Retryable: code.Retryable()}
}

// Error is the code and, if there is one, the message.
func (e *Error) Error() string {
	if e.Message == "" {
		return e.Code.String()
	}
	return e.Code.String() + ": " + e.Message
}

// Is matches the code, and another *Error with the same code.
func (e *Error) Is(target error) bool {
	switch t := target.(type) {
	case Code:
		return e.Code == t
	case *Error:
		return e.Code == t.Code
	}
	return false
}

// AsError turns any error into an *Error: itself if it holds one, the code of
// a FrameError, and CodeInternal for whatever else it is.
func AsError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	var frame *FrameError
	if errors.As(err, &frame) {
		return Errorf(frame.Code(), "%s", err.Error())
	}
	return Errorf(CodeInternal, "%s", err.Error())
}
