package client

import (
	"errors"
	"time"

	"github.com/ferrymq/ferrymq/transport"
)

// What a handler's error may say beside its text. The marks may be combined:
// Downstream(RetryAfter(time.Minute, err)).

// permanent is an error that another attempt would not mend.
type permanent struct{ error }

func (p permanent) Unwrap() error { return p.error }

// Permanent marks an error so that the message goes to the dead-letter queue
// at once.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return permanent{err}
}

// retryAfter is an error after which the next attempt waits.
type retryAfter struct {
	error
	delay time.Duration
}

func (r retryAfter) Unwrap() error { return r.error }

// RetryAfter marks an error so that the message is ready again after d, in
// place of what the queue's retry policy says. d is 1 ms to 24 h; anything
// shorter or longer is taken as that.
func RetryAfter(d time.Duration, err error) error {
	if err == nil {
		return nil
	}
	return retryAfter{err, min(max(d, time.Millisecond), MaxNackDelay)}
}

// downstream is an error of something that the handler needs.
type downstream struct{ error }

func (d downstream) Unwrap() error { return d.error }

// Downstream marks an error as one of a service that the handler needs: it is
// not the message's failure and counts towards the queue's circuit breaker
// alone.
func Downstream(err error) error {
	if err == nil {
		return nil
	}
	return downstream{err}
}

func isPermanent(err error) bool {
	var never permanent
	return errors.As(err, &never)
}

// settleFor is the settle that a handler's error asks for.
func settleFor(err error) (op string, item transport.SettleItem) {
	if isPermanent(err) {
		return "reject", rejectItem(err.Error())
	}
	o := nackOptions{reason: ReasonMessage, text: err.Error()}
	var later retryAfter
	if errors.As(err, &later) {
		o.delay = later.delay
	}
	var others downstream
	if errors.As(err, &others) {
		o.reason = ReasonDownstream
	}
	return "nack", o.item()
}
