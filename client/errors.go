package client

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ferrymq/ferrymq/fsm/record"
	"github.com/ferrymq/ferrymq/transport"
)

// What went wrong, for errors.Is. Every transport.Code that is not a
// confirmation has one.
var (
	ErrNotFound       = errors.New("ferry: not found")
	ErrConflict       = errors.New("ferry: conflicts with what is there")
	ErrBusy           = errors.New("ferry: busy")
	ErrTooLarge       = errors.New("ferry: too large") // for the protocol, or for all that the queue may ever hold
	ErrInvalid        = errors.New("ferry: invalid")
	ErrUnsupported    = errors.New("ferry: unsupported")
	ErrDenied         = errors.New("ferry: denied")
	ErrInUse          = errors.New("ferry: in use")
	ErrNoLeader       = errors.New("ferry: no leader")
	ErrLeaseLost      = errors.New("ferry: lease lost")
	ErrSessionExpired = errors.New("ferry: session expired")
	ErrFenced         = errors.New("ferry: session is held by another process")
	ErrOvertaken      = errors.New("ferry: overtaken, never applied")
	ErrOutOfOrder     = errors.New("ferry: out of order")
	ErrAlreadyDone    = errors.New("ferry: answered before")
	// ErrNoResponders: nobody is attached to the request's queue. It was not
	// stored.
	ErrNoResponders = errors.New("ferry: no responders")
	// ErrResponderLost: who worked on a request that is not to be tried again
	// was lost. It may have done it.
	ErrResponderLost = errors.New("ferry: responder lost")
	// ErrExpired: there was no answer before the deadline. The request may have
	// been worked on.
	ErrExpired = errors.New("ferry: request expired")
	// ErrDeadLettered: the request failed too often, was rejected, or was
	// removed.
	ErrDeadLettered = errors.New("ferry: request dead-lettered")
	// ErrUnknownOutcome: it may or may not have been applied.
	ErrUnknownOutcome = errors.New("ferry: outcome unknown")
	ErrMalformed      = errors.New("ferry: malformed")
	ErrVersion        = errors.New("ferry: no common protocol version")
	ErrHandshake      = errors.New("ferry: handshake failed")
	ErrShuttingDown   = errors.New("ferry: node is shutting down")
	// ErrTimeout: the time ran out before anything was applied.
	ErrTimeout  = errors.New("ferry: timed out, nothing was applied")
	ErrLimit    = errors.New("ferry: limit reached")
	ErrInternal = errors.New("ferry: internal error")
	// ErrClosed: the connection or consumer was closed by its user.
	ErrClosed = errors.New("ferry: closed")
)

// Why something is busy, or a lease lost, for errors.Is. Every transport.Cause
// has one; ErrBusy or ErrLeaseLost match beside it.
var (
	ErrQueueFull        = errors.New("ferry: queue is full") // of messages or bytes
	ErrWindowFull       = errors.New("ferry: too many unanswered operations")
	ErrMemory           = errors.New("ferry: the node's memory limit")
	ErrDisk             = errors.New("ferry: the node's disk is full")
	ErrOutboxFull       = errors.New("ferry: a buffer between nodes is full")
	ErrTooMany          = errors.New("ferry: too many sessions, queues or consumers")
	ErrDedupFull        = errors.New("ferry: the window of message ids is full")
	ErrRateLimited      = errors.New("ferry: published too fast")
	ErrTooManyRequests  = errors.New("ferry: too many unanswered requests")
	ErrLagging          = errors.New("ferry: the node is behind its log")
	ErrTooManyTenants   = errors.New("ferry: too many tenants in the queue")
	ErrTooManyGroups    = errors.New("ferry: too many message groups in the queue")
	ErrEntryFull        = errors.New("ferry: one entry of the log does only so much of this")
	ErrMakingRoom       = errors.New("ferry: the queue drops many old messages to make room")
	ErrLeaseExpired     = errors.New("ferry: the lease ran out")
	ErrSettled          = errors.New("ferry: settled already")
	ErrLeaseSessionOver = errors.New("ferry: the lease's session ended")
	ErrQueueGone        = errors.New("ferry: the queue was deleted")
	ErrNotHolder        = errors.New("ferry: held by somebody else")
	ErrUnknownToken     = errors.New("ferry: never given out, or long settled")
	ErrRequeued         = errors.New("ferry: an operator took it back")
)

// codeClosed is for what ended with the connection. No node uses it.
const codeClosed = transport.Code(0xffff)

// sentinels by code. Positive codes have none.
var sentinels = map[transport.Code]error{
	transport.CodeAlreadyDone:    ErrAlreadyDone,
	transport.CodeLeaseLost:      ErrLeaseLost,
	transport.CodeBusy:           ErrBusy,
	transport.CodeConflict:       ErrConflict,
	transport.CodeNotFound:       ErrNotFound,
	transport.CodeOvertaken:      ErrOvertaken,
	transport.CodeOutOfOrder:     ErrOutOfOrder,
	transport.CodeSessionExpired: ErrSessionExpired,
	transport.CodeFenced:         ErrFenced,
	transport.CodeTooLarge:       ErrTooLarge,
	transport.CodeInvalid:        ErrInvalid,
	transport.CodeUnsupported:    ErrUnsupported,
	transport.CodeDenied:         ErrDenied,
	transport.CodeInUse:          ErrInUse,
	transport.CodeNoResponders:   ErrNoResponders,
	transport.CodeResponderLost:  ErrResponderLost,
	transport.CodeExpired:        ErrExpired,
	transport.CodeDeadLettered:   ErrDeadLettered,
	transport.CodeUnknownOutcome: ErrUnknownOutcome,
	transport.CodeNoLeader:       ErrNoLeader,
	transport.CodeNotLeader:      ErrNoLeader,
	transport.CodeMalformed:      ErrMalformed,
	transport.CodeVersion:        ErrVersion,
	transport.CodeHandshake:      ErrHandshake,
	transport.CodeShuttingDown:   ErrShuttingDown,
	transport.CodeTimeout:        ErrTimeout,
	transport.CodeLimit:          ErrLimit,
	transport.CodeInternal:       ErrInternal,
	codeClosed:                   ErrClosed,
}

// causes by number.
var causes = map[transport.Cause]error{
	transport.CauseMessages:     ErrQueueFull,
	transport.CauseBytes:        ErrQueueFull,
	transport.CauseWindow:       ErrWindowFull,
	transport.CauseMemory:       ErrMemory,
	transport.CauseDisk:         ErrDisk,
	transport.CauseOutbox:       ErrOutboxFull,
	transport.CauseSessions:     ErrTooMany,
	transport.CauseDedup:        ErrDedupFull,
	transport.CauseRate:         ErrRateLimited,
	transport.CauseRequests:     ErrTooManyRequests,
	transport.CauseLag:          ErrLagging,
	transport.CauseTenants:      ErrTooManyTenants,
	transport.CauseGroups:       ErrTooManyGroups,
	transport.CauseRoom:         ErrMakingRoom,
	transport.CauseEntry:        ErrEntryFull,
	transport.CauseExpired:      ErrLeaseExpired,
	transport.CauseSettled:      ErrSettled,
	transport.CauseSessionEnded: ErrLeaseSessionOver,
	transport.CauseQueueGone:    ErrQueueGone,
	transport.CauseNotHolder:    ErrNotHolder,
	transport.CauseUnknownToken: ErrUnknownToken,
	transport.CauseRequeued:     ErrRequeued,
}

// Error is what a program branches on. errors.Is finds the sentinels of its
// code and its cause, and whatever it wraps, a context's error for example.
type Error struct {
	Code       transport.Code
	Cause      transport.Cause
	Op         string // what was asked for: "publish", "ack", ...
	Resource   string // of what: a queue, a node
	Detail     string
	Retryable  bool // asking again later may succeed
	RetryAfter time.Duration
	Node       string // that answered, "" if none did
	// Delivery whose lease is lost, of a Tx that was refused for it; else nil.
	Delivery *Delivery

	wrapped error
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("ferry: ")
	if e.Op != "" {
		b.WriteString(e.Op)
		if e.Resource != "" {
			fmt.Fprintf(&b, " %q", e.Resource)
		}
		b.WriteString(": ")
	}
	b.WriteString(text(e.Code))
	if cause := causeText(e.Cause); cause != "" {
		fmt.Fprintf(&b, " (%s)", cause)
	}
	if e.RetryAfter > 0 {
		fmt.Fprintf(&b, ", again after %v", e.RetryAfter)
	}
	if e.Delivery != nil {
		fmt.Fprintf(&b, ": message %v of %q", e.Delivery.ID, e.Delivery.Queue)
	}
	if e.Detail != "" {
		b.WriteString(": " + e.Detail)
	}
	if e.wrapped != nil {
		b.WriteString(": " + e.wrapped.Error())
	}
	return b.String()
}

// Is tells whether target is the sentinel of the error's code or cause.
func (e *Error) Is(target error) bool {
	return target == sentinels[e.Code] || e.Cause != transport.CauseNone && target == causes[e.Cause]
}

// Unwrap gives what the error wraps, nil for nothing.
func (e *Error) Unwrap() error { return e.wrapped }

// text of a code: its sentinel's, without the prefix.
func text(code transport.Code) string {
	if sentinel := sentinels[code]; sentinel != nil {
		return strings.TrimPrefix(sentinel.Error(), "ferry: ")
	}
	return fmt.Sprintf("code %d", code)
}

// causeText tells a cause, "" for none.
func causeText(cause transport.Cause) string {
	switch cause {
	case transport.CauseNone:
		return ""
	case transport.CauseMessages:
		return "the queue's message limit"
	case transport.CauseBytes:
		return "the queue's byte limit"
	}
	if sentinel := causes[cause]; sentinel != nil {
		return strings.TrimPrefix(sentinel.Error(), "ferry: ")
	}
	return fmt.Sprintf("cause %d", cause)
}

// retryable tells whether the code is about the moment, not the request.
func retryable(code transport.Code) bool {
	switch code {
	case transport.CodeBusy, transport.CodeOvertaken, transport.CodeUnknownOutcome,
		transport.CodeNoLeader, transport.CodeNotLeader, transport.CodeShuttingDown,
		transport.CodeTimeout:
		return true
	}
	return false
}

// localError is one that no node was asked about.
func localError(code transport.Code, op, resource, detail string, wrapped error) *Error {
	return &Error{
		Code: code, Op: op, Resource: resource, Detail: detail,
		Retryable: retryable(code), wrapped: wrapped,
	}
}

// verdictError is a node's refusal of one item.
func verdictError(op, resource, node string, v transport.Verdict, detail string) *Error {
	return &Error{
		Code: v.Code, Cause: v.Cause, Op: op, Resource: resource, Detail: detail, Node: node,
		Retryable: retryable(v.Code), RetryAfter: millis(v.RetryAfterMs),
	}
}

// about is the error for another operation and resource.
func (e *Error) about(op, resource string) *Error {
	copied := *e
	copied.Op, copied.Resource = op, resource
	return &copied
}

// about names operation and resource in an error of ours, and makes one of
// any other.
func about(err error, op, resource string) error {
	var e *Error
	if errors.As(err, &e) {
		return e.about(op, resource)
	}
	wire := transport.AsError(err)
	return localError(wire.Code, op, resource, "", err)
}

// join is errors.Join that returns a single error as it is.
func join(a, b error) error {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	return errors.Join(a, b)
}

// ctxError is why the context ended: its error, and the cause if that is another.
func ctxError(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if errors.Is(err, cause) {
		return err
	}
	return join(err, cause)
}

func isTooLarge(err error) bool { return errors.Is(err, record.ErrTooLarge) }
