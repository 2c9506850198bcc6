package workload

import (
	"errors"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/jepsen/history"
)

// OutcomeOf classifies an answer. Whatever an error of the client does not
// call unknown is a promise that nothing happened, and is held to it; an error
// that is not the client's promises nothing.
func OutcomeOf(err error) history.Outcome {
	var e *client.Error
	switch {
	case err == nil:
		return history.OK
	case errors.Is(err, client.ErrUnknownOutcome), !errors.As(err, &e):
		return history.Unknown
	}
	return history.Fail
}

// refused writes down what an error says.
func refused(o *history.Op, err error) {
	if err == nil {
		return
	}
	o.Error = err.Error()
	var e *client.Error
	if OutcomeOf(err) != history.Fail || !errors.As(err, &e) {
		return
	}
	if o.Code = e.Code.String(); errors.Is(err, client.ErrClosed) {
		o.Code = "closed"
	}
	if e.Cause != 0 {
		o.Cause = e.Cause.String()
	}
}

// expected are the refusals that a workload asks for: outcomes of the run, not
// errors of it.
func expected(err error, targets ...error) bool {
	if OutcomeOf(err) != history.Fail {
		return true
	}
	for _, target := range append(targets, client.ErrTimeout, client.ErrNoLeader, client.ErrShuttingDown,
		client.ErrClosed, client.ErrSessionExpired, client.ErrBusy, client.ErrOvertaken) {
		if errors.Is(err, target) {
			return true
		}
	}
	return false
}
