package broker

import (
	"errors"
	"fmt"

	"github.com/ferrymq/ferrymq/fsm/record"
	"github.com/ferrymq/ferrymq/transport"
)

// recordCheck reads every record of an operation once, where it comes in: what
// is wrong never reaches the log. The machine judges the rest.
type recordCheck struct {
	messages int // so far
	bytes    int // logical, of those
}

// all checks the records that an operation has for one queue. The answer to
// the operation comes with true if something is wrong.
func (k *recordCheck) all(o *Options, records []byte, count uint32) (transport.Result, bool) {
	switch {
	case count == 0:
		return refusal(transport.CodeInvalid, "no message"), true
	case int(count) > o.MessagesMax-k.messages:
		return refusal(transport.CodeTooLarge, fmt.Sprintf("%d messages, at most %d", k.messages+int(count), o.MessagesMax)), true
	}
	err := transport.EachRecord(records, count, func(r []byte) error { return k.one(o, r) })
	if err == nil {
		return transport.Result{}, false
	}
	code := transport.CodeInvalid
	if errors.Is(err, record.ErrTooLarge) {
		code = transport.CodeTooLarge
	}
	return refusal(code, fmt.Sprintf("message %d: %v", k.messages, err)), true
}

func (k *recordCheck) one(o *Options, r []byte) error {
	v, err := record.Parse(r)
	if err != nil {
		return err
	}
	n := v.LogicalSize()
	if n > o.MessageMax {
		return fmt.Errorf("%w: %d bytes, at most %d", record.ErrTooLarge, n, o.MessageMax)
	}
	if k.bytes += n; k.bytes > transport.MessageMax {
		return fmt.Errorf("%w: the messages of an operation have more than %d bytes", record.ErrTooLarge, transport.MessageMax)
	}
	k.messages++
	return nil
}
