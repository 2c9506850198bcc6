package client

import (
	"context"

	"github.com/ferrymq/ferrymq/transport"
)

// maxControls bounds the operations on queues and consumers that wait.
const maxControls = 4096

// control is an operation on a queue or a consumer.
type control struct {
	op       transport.Op
	name     string
	resource string
	encode   func(dst []byte, h transport.OpHeader) []byte
	// done runs once, on the manager or on the goroutine that closes the
	// outbox, and must not block.
	done func(r *transport.Result, err *Error)
	sent bool // guarded by the outbox
	// renew: a consumer's; a new session sends its own.
	renew bool
}

func (c *control) opcode() transport.Op { return c.op }
func (c *control) items() int           { return 1 }
func (c *control) size() int            { return 512 }

func (c *control) appendTo(dst []byte, h transport.OpHeader) []byte { return c.encode(dst, h) }

// end tells the outcome; a refusal in r becomes an error.
func (c *control) end(r *transport.Result, err *Error) { c.done(r, err) }

// pushControl queues an operation. What was pushed before, settles too, is
// sent before it.
func (o *outbox) pushControl(c *control) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err != nil {
		return o.err.about(c.name, c.resource)
	}
	if len(o.controls) >= maxControls {
		return localError(transport.CodeLimit, c.name, c.resource, "too many operations wait", nil)
	}
	o.controls = append(o.controls, c)
	signal(o.wake)
	return nil
}

func (o *outbox) nextControl() *control {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.controls) == 0 {
		return nil
	}
	c := o.controls[0]
	o.controls = append(o.controls[:0], o.controls[1:]...)
	c.sent = true
	return c
}

func (o *outbox) hasControl() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.controls) > 0
}

// withdrawControl takes an operation back that still waits.
func (o *outbox) withdrawControl(c *control) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	for i, other := range o.controls {
		if other == c {
			o.controls = append(o.controls[:i], o.controls[i+1:]...)
			return true
		}
	}
	return false
}

// operate runs an operation, waits for its answer and returns its value: the
// answer itself is the manager's, who decodes the next one into it.
func (c *Conn) operate(ctx context.Context, op transport.Op, name, resource string,
	encode func(dst []byte, h transport.OpHeader) []byte) (uint64, error) {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	type answer struct {
		value uint64
		err   *Error
	}
	answered := make(chan answer, 1)
	ctl := &control{op: op, name: name, resource: resource, encode: encode}
	ctl.done = func(r *transport.Result, err *Error) {
		a := answer{err: err}
		if r != nil {
			a.value = r.Value
		}
		answered <- a
	}
	if err := c.out.pushControl(ctl); err != nil {
		return 0, err
	}
	select {
	case a := <-answered:
		if a.err != nil {
			return 0, a.err
		}
		return a.value, nil
	case <-ctx.Done():
	}
	if c.out.withdrawControl(ctl) {
		c.out.mu.Lock()
		defer c.out.mu.Unlock()
		return 0, c.out.notSent(name, resource, ctxError(ctx))
	}
	select {
	case a := <-answered:
		if a.err != nil {
			return 0, a.err
		}
		return a.value, nil
	default:
		return 0, localError(transport.CodeUnknownOutcome, name, resource, "", ctxError(ctx))
	}
}
