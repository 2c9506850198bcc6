package client

import (
	"context"

	"github.com/ferrymq/ferrymq/transport"
)

// maxControls bounds the operations on queues and consumers that wait.
const maxControls = 4096

// control is an operation that goes alone: on a queue or a consumer, or one
// that carries messages and settles which belong together.
type control struct {
	op       transport.Op
	name     string
	resource string
	encode   func(dst []byte, h transport.OpHeader) []byte
	// done runs once, on the manager or on the goroutine that closes or
	// withdraws, and must not block. r is the manager's.
	done func(r *transport.Result, err *Error)
	// describe adds to the trace what is special about the operation; may be nil.
	describe func(*Answer)
	sent     bool // guarded by the outbox, as over
	over     bool // its outcome is about to be told
	// renew: a consumer's; a new session sends its own.
	renew bool

	count    int  // messages, settles and other items; 0: 1
	messages int  // of those, that count in the window of messages
	bytes    int  // of its frame, in that window too; 0: little
	patient  bool // it waits for its answer as long as that takes
	again    bool // whoever asked tries again what is busy
	out      *outbox
	gen      *generation // of one that carries messages

	group uint32 // that answered
}

func (c *control) opcode() transport.Op { return c.op }
func (c *control) items() int           { return max(c.count, 1) }
func (c *control) size() int            { return max(c.bytes, 512) }

func (c *control) appendTo(dst []byte, h transport.OpHeader) []byte { return c.encode(dst, h) }

// end tells the outcome; a refusal in r becomes an error.
func (c *control) end(r *transport.Result, err *Error) {
	if c.gen != nil {
		c.out.mu.Lock()
		c.out.free(c.messages, c.bytes)
		c.out.barrier.leave(c.gen)
		c.out.mu.Unlock()
	}
	c.done(r, err)
}

// pushControl queues an operation. What was pushed before, settles too, is
// sent before it.
func (o *outbox) pushControl(c *control) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.pushControlLocked(c)
}

func (o *outbox) pushControlLocked(c *control) error {
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

// pushInWindow queues an operation that carries messages, when the window has
// room for them.
func (o *outbox) pushInWindow(ctx context.Context, c *control) error {
	err := o.whenRoom(ctx, c.resource, func() (bool, error) {
		o.mu.Lock()
		defer o.mu.Unlock()
		if o.err == nil && !o.hasRoom(c.bytes) {
			return false, nil
		}
		if err := o.pushControlLocked(c); err != nil {
			return false, err
		}
		o.messages += c.messages
		o.bytes += c.bytes
		c.out, c.gen = o, o.barrier.enter()
		return true, nil
	})
	if err != nil {
		return about(err, c.name, c.resource)
	}
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

// operate runs an operation, waits for its answer and returns a copy of it: the
// answer itself is the manager's, who decodes the next one into it. ended,
// which may be nil, learns the outcome even when nobody waits any more; it runs
// once, as a control's done does.
func (c *Conn) operate(ctx context.Context, ctl *control, ended func(r *transport.Result, err *Error)) (transport.Result, error) {
	if !ctl.patient {
		bound, cancel := c.bounded(ctx)
		defer cancel()
		ctx = bound
	}
	type answer struct {
		result transport.Result
		err    *Error
	}
	answered := make(chan answer, 1)
	ctl.done = func(r *transport.Result, err *Error) {
		c.out.mu.Lock()
		ctl.over = true
		c.out.mu.Unlock()
		if ended != nil {
			ended(r, err) // it may end ctx, where that is a delivery's
		}
		a := answer{err: err}
		if r != nil {
			a.result = *r
		}
		answered <- a
	}
	push := c.out.pushControl
	if ctl.messages > 0 {
		push = func(ctl *control) error { return c.out.pushInWindow(ctx, ctl) }
	}
	if err := push(ctl); err != nil {
		if ended != nil {
			ended(nil, asError(err))
		}
		return transport.Result{}, err
	}
	tell := func(a answer) (transport.Result, error) {
		if a.err != nil {
			return a.result, a.err
		}
		return a.result, nil
	}
	select {
	case a := <-answered:
		return tell(a)
	case <-ctx.Done():
	}
	if c.out.withdrawControl(ctl) {
		c.out.mu.Lock()
		err := c.out.notSent(ctl.name, ctl.resource, ctxError(ctx))
		c.out.mu.Unlock()
		ctl.end(nil, err)
		return transport.Result{}, err
	}
	c.out.mu.Lock()
	over := ctl.over
	c.out.mu.Unlock()
	if over {
		return tell(<-answered)
	}
	return transport.Result{}, localError(transport.CodeUnknownOutcome, ctl.name, ctl.resource, "", ctxError(ctx))
}
