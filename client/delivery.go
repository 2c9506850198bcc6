package client

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/ferrymq/ferrymq/transport"
)

// Reason of a nack.
type Reason uint8

const (
	ReasonMessage    = Reason(transport.ReasonMessage)    // counts as a failure of the message
	ReasonDownstream = Reason(transport.ReasonDownstream) // not the message's fault
	ReasonShutdown   = Reason(transport.ReasonShutdown)   // counts nothing; a request without retry is lost
	ReasonUnstarted  = Reason(transport.ReasonUnstarted)  // counts nothing: no work on it has begun
)

// NackOption of Nack.
type NackOption func(*nackOptions)

type nackOptions struct {
	reason Reason
	text   string
	delay  time.Duration
}

// WithReason of a nack, ReasonMessage by default.
func WithReason(r Reason) NackOption { return func(o *nackOptions) { o.reason = r } }

// WithError tells what went wrong; the dead letter keeps 1,024 bytes of it.
func WithError(text string) NackOption { return func(o *nackOptions) { o.text = text } }

// WithDelay of the next attempt, up to 24 h, in place of what the queue's retry
// policy says. It is kept in milliseconds, rounded up.
func WithDelay(d time.Duration) NackOption { return func(o *nackOptions) { o.delay = d } }

func nackOf(opts []NackOption) (transport.SettleItem, error) {
	o := nackOptions{reason: ReasonMessage}
	for _, opt := range opts {
		opt(&o)
	}
	if o.delay < 0 || o.delay > MaxNackDelay {
		return transport.SettleItem{}, localError(transport.CodeInvalid, "nack", "",
			fmt.Sprintf("delay %v: 0s to %v are possible", o.delay, MaxNackDelay), nil)
	}
	return o.item(), nil
}

func (o nackOptions) item() transport.SettleItem {
	return transport.SettleItem{
		Action: transport.ActionNack, Reason: transport.Reason(o.reason), Error: cut(o.text),
		DelayMs: uint32(roundUp(o.delay)),
	}
}

func nackItem(reason Reason, text string) transport.SettleItem {
	return nackOptions{reason: reason, text: text}.item()
}

// Delivery is one message, leased to this consumer until it is settled or the
// lease ends. One Ack, Nack, Reject or Reply, or a Tx, settles it; a second gets
// ErrLeaseLost.
type Delivery struct {
	Message
	Queue       string
	ID          MessageID
	Attempt     int // 1 at first
	Failures    int
	Token       uint64 // rises with every lease: a fence for effects elsewhere. 0 without acks
	Redelivered bool   // Attempt > 1
	EnqueuedAt  time.Time
	LeaseUntil  time.Time // by this process's clock, when it was delivered; see LeaseEnd
	Death       *Death    // of a dead letter
	IsRequest   bool      // somebody waits for a Reply, until Deadline
	Deadline    time.Time // of a request, by the requester's clock; else zero

	k      *Consumer
	key    placeKey
	number uint64 // of the assignment, without acks
	lease  time.Duration
	record []byte

	// The consumer's mutex guards what follows.
	state     deliveryState
	until     time.Time
	graced    bool // until is the end of the session's grace, not the lease's
	extending bool
	warned    bool
	asked     *asked // nil before the first settle
	left      bool   // its handler has returned
	lost      *Error // why the lease is lost
	ctx       context.Context
	cancel    context.CancelCauseFunc
}

// placeKey is where a message stands.
type placeKey struct{ incarnation, place uint64 }

type deliveryState uint8

const (
	stateQueued   deliveryState = iota // prefetched
	stateStarted                       // its handler, or the iterator's loop, has it
	stateSettling                      // a settle is under way
	stateSettled
	stateLost
)

// Context ends when the delivery is settled or its lease is lost, with
// ErrLeaseLost as its cause, and with the consumer's own.
func (d *Delivery) Context() context.Context {
	d.k.mu.Lock()
	defer d.k.mu.Unlock()
	if d.ctx == nil {
		d.ctx, d.cancel = context.WithCancelCause(d.k.ctx)
		if d.state == stateSettled || d.state == stateLost {
			d.endContext()
		}
	}
	return d.ctx
}

// endContext is called with the consumer's mutex held.
func (d *Delivery) endContext() {
	if d.cancel == nil {
		return
	}
	if d.lost != nil {
		d.cancel(d.lost)
	} else {
		d.cancel(nil)
	}
}

// LeaseEnd is when the lease ends as far as is known, extensions included, by
// this process's clock. While the cluster has no leader, leases do not age.
func (d *Delivery) LeaseEnd() time.Time {
	d.k.mu.Lock()
	defer d.k.mu.Unlock()
	return d.until
}

// Ack settles the delivery: it is done. It returns when that is confirmed.
func (d *Delivery) Ack(ctx context.Context) error {
	return d.settleAndWait(ctx, "ack", transport.SettleItem{Action: transport.ActionAck})
}

// AckAsync is Ack without waiting; done, which may be nil, is told. Acks that
// pile up share a frame.
//
// One that is not answered within the request timeout ends with
// ErrUnknownOutcome, and with ErrTimeout if it was not sent: then the delivery
// may be settled again, by done at the latest if its handler has returned.
func (d *Delivery) AckAsync(done func(error)) {
	deadline := time.Now().Add(d.k.c.opts.requestTimeout)
	d.settleAsync("ack", transport.SettleItem{Action: transport.ActionAck}, deadline, done)
}

// Nack gives the message back to its place, for another attempt after the
// delay that the queue's retry policy, or WithDelay, says.
func (d *Delivery) Nack(ctx context.Context, opts ...NackOption) error {
	item, err := nackOf(opts)
	if err != nil {
		return about(err, "nack", d.Queue)
	}
	return d.settleAndWait(ctx, "nack", item)
}

// Reject moves the message to the dead-letter queue.
func (d *Delivery) Reject(ctx context.Context, reason string) error {
	return d.settleAndWait(ctx, "reject", rejectItem(reason))
}

func rejectItem(reason string) transport.SettleItem {
	return transport.SettleItem{Action: transport.ActionReject, Error: cut(reason)}
}

// cut keeps what a dead letter keeps, whole characters only. An error may quote any
// bytes, but nodes refuse what is no text, and with it the settle.
func cut(text string) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	return strings.ToValidUTF8(text[:min(len(text), transport.ErrorTextMax)], "")
}

// Extend has the lease start anew.
func (d *Delivery) Extend(ctx context.Context) error {
	if d.k.opts.noAck {
		return nil
	}
	ctx, cancel := d.k.c.bounded(ctx)
	defer cancel()
	d.k.mu.Lock()
	err := d.refusal("extend")
	d.k.mu.Unlock()
	if err != nil {
		return err
	}
	s := d.newSettle("extend", transport.SettleItem{Action: transport.ActionExtend})
	s.answer = make(chan error, 1)
	if err := d.k.c.out.pushSettle(s); err != nil {
		return err
	}
	return d.k.c.out.await(ctx, s)
}

// refusal is why the delivery cannot be settled, nil if it can. The
// consumer's mutex is held.
func (d *Delivery) refusal(op string) error {
	switch d.state {
	case stateSettling, stateSettled:
		e := localError(transport.CodeLeaseLost, op, d.Queue, "", nil)
		e.Cause = transport.CauseSettled
		return e
	case stateLost:
		return d.lost.about(op, d.Queue)
	}
	return nil
}

func (d *Delivery) newSettle(op string, item transport.SettleItem) *settle {
	item.Incarnation, item.Place, item.Token = d.key.incarnation, d.key.place, d.Token
	return &settle{d: d, item: item, op: op, at: time.Now()}
}

// begin makes the delivery's one settle, or says why it cannot be settled.
func (d *Delivery) begin(op string, item transport.SettleItem) (*settle, error) {
	d.k.mu.Lock()
	defer d.k.mu.Unlock()
	if err := d.refusal(op); err != nil {
		return nil, err
	}
	d.state = stateSettling
	d.asked = &asked{op: op, item: item}
	return d.newSettle(op, item), nil
}

// asked is the settle that was asked for last. One that is a part of something
// else, a Reply or a Tx, has no action of its own, and failed says why it failed.
type asked struct {
	op     string
	item   transport.SettleItem
	failed error
}

func (d *Delivery) settleAndWait(ctx context.Context, op string, item transport.SettleItem) error {
	if d.k.opts.noAck {
		return nil
	}
	ctx, cancel := d.k.c.bounded(ctx)
	defer cancel()
	s, err := d.begin(op, item)
	if err != nil {
		return err
	}
	s.answer = make(chan error, 1)
	if err := d.k.c.out.pushSettle(s); err != nil {
		d.settled(s, asError(err))
		return err
	}
	return d.k.c.out.await(ctx, s)
}

// settleAsync settles and tells done, on the goroutine of the callbacks. Its
// deadline may be zero for none.
func (d *Delivery) settleAsync(op string, item transport.SettleItem, deadline time.Time, done func(error)) {
	if d.k.opts.noAck {
		d.k.c.out.tell(done, nil)
		return
	}
	s, err := d.begin(op, item)
	if err != nil {
		d.k.c.out.tell(done, err)
		return
	}
	s.done, s.deadline = done, deadline
	if err := d.k.c.out.pushSettle(s); err != nil {
		d.settled(s, asError(err))
		d.k.c.out.tell(done, err)
	}
}

// settled takes the outcome of a settle or an extension.
func (d *Delivery) settled(s *settle, refused *Error) {
	k := d.k
	k.mu.Lock()
	defer k.mu.Unlock()
	defer k.checkDrained()
	if s.answer != nil { // before the context ends: whoever waits may wait on that too
		var err error
		if refused != nil {
			err = refused
		}
		s.answer <- err // holds one
	}
	extension := s.item.Action == transport.ActionExtend
	if extension {
		d.extending = false
	}
	switch {
	case d.state == stateLost || d.state == stateSettled:
	case refused == nil && extension:
		d.until = s.at.Add(d.lease)
		d.warned = false
	case refused == nil:
		d.state = stateSettled
		k.release(d)
		d.endContext()
	case refused.Is(ErrLeaseLost) || refused.Is(ErrSessionExpired):
		d.lose(refused)
	case !extension:
		d.state = stateStarted // it was not settled, or nobody knows: it may be tried again
	}
}

// lose ends the lease. The consumer's mutex is held.
func (d *Delivery) lose(why *Error) {
	d.state = stateLost
	d.lost = why
	d.k.release(d)
	d.endContext()
}

// asError is the *Error in err.
func asError(err error) *Error {
	e, ok := err.(*Error)
	if !ok {
		e = localError(transport.CodeInternal, "", "", "", err)
	}
	return e
}
