package cli

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/cluster/store"
	"github.com/ferrymq/ferrymq/cmd/ferry/internal/logdump"
	"github.com/ferrymq/ferrymq/cmd/ferry/internal/serve"
)

// Exit codes, documented in docs/cli.md. Programs rely on them.
const (
	ExitOK          = 0
	ExitFailed      = 1  // anything without a code of its own
	ExitUsage       = 2  // wrong flags, arguments or settings
	ExitNotFound    = 3  // no such queue, topic, message, node or log
	ExitUnavailable = 4  // busy, no leader, no connection: nothing of it was done, try again
	ExitUnknown     = 5  // it may or may not have taken effect
	ExitRefused     = 6  // exists with other settings, in use, too large, invalid, denied
	ExitNoResponder = 7  // request: no consumer is there; it was not stored
	ExitExpired     = 8  // request: no answer in time; it may have been worked on
	ExitLost        = 9  // request: its responder was lost; it may have been worked on
	ExitLocked      = 10 // server, log: another process has the data folder
	ExitStorage     = 11 // server: a store failed or hung; log: entries are corrupt
	ExitState       = 12 // server: the state machine met what it cannot apply
	ExitRemoved     = 13 // server: the node was removed from the cluster
	ExitDead        = 14 // request: it was dead-lettered or removed
	ExitInterrupted = 130
)

// usageError marks an error as the caller's.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error {
	return usageError{fmt.Errorf(format, args...)}
}

// errQuiet ends the program with a failure that was told already.
var errQuiet = errors.New("failed")

// errUnavailable is for what the commands themselves find unreachable.
var errUnavailable = errors.New("unavailable")

// errNotFound is for what the commands themselves do not find.
var errNotFound = errors.New("not found")

// exits maps errors to codes; the first that matches counts, so the unknown
// outcome comes before the timeout that caused it.
var exits = []struct {
	err  error
	code int
}{
	{client.ErrUnknownOutcome, ExitUnknown},
	{context.Canceled, ExitInterrupted},
	{client.ErrNoResponders, ExitNoResponder},
	{client.ErrExpired, ExitExpired},
	{client.ErrResponderLost, ExitLost},
	{client.ErrDeadLettered, ExitDead},
	{client.ErrNotFound, ExitNotFound},
	{errNotFound, ExitNotFound},
	{client.ErrBusy, ExitUnavailable},
	{client.ErrNoLeader, ExitUnavailable},
	{client.ErrShuttingDown, ExitUnavailable},
	{client.ErrTimeout, ExitUnavailable},
	{errUnavailable, ExitUnavailable},
	{client.ErrConflict, ExitRefused},
	{client.ErrInUse, ExitRefused},
	{client.ErrTooLarge, ExitRefused},
	{client.ErrInvalid, ExitRefused},
	{client.ErrUnsupported, ExitRefused},
	{client.ErrDenied, ExitRefused},
	{client.ErrLimit, ExitRefused},
	{logdump.ErrNoLog, ExitNotFound},
	{store.ErrLocked, ExitLocked},
	{store.ErrCorrupt, ExitStorage},
	{serve.ErrKey, ExitUsage},
	{serve.ErrLocked, ExitLocked},
	{serve.ErrStorage, ExitStorage},
	{serve.ErrState, ExitState},
	{serve.ErrRemoved, ExitRemoved},
	{context.DeadlineExceeded, ExitUnavailable},
}

// exitCode of an error.
func exitCode(err error) int {
	if err == nil {
		return ExitOK
	}
	if _, ok := errors.AsType[usageError](err); ok {
		return ExitUsage
	}
	for _, e := range exits {
		if errors.Is(err, e.err) {
			return e.code
		}
	}
	if _, ok := errors.AsType[*net.OpError](err); ok {
		return ExitUnavailable
	}
	return ExitFailed
}
