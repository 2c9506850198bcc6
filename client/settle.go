package client

import (
	"context"
	"slices"
	"time"

	"github.com/ferrymq/ferrymq/transport"
)

const (
	settleItems = transport.MessagesMax
	// settlesInFlight unanswered Settle frames let the next one grow.
	settlesInFlight = 2
)

// settleQueue is the settles that wait. Their number is bounded by the
// deliveries held: each has at most one settle and one extension under way.
type settleQueue struct {
	waiting  []*settle
	inFlight []*settleBatch // sent and unanswered, oldest first
	timed    int            // settles with a deadline that are not over
}

// settle is one settle of one delivery.
type settle struct {
	d      *Delivery
	item   transport.SettleItem
	op     string
	done   func(error) // for the notifier, may be nil; guarded by the outbox
	answer chan error  // holds one; nil when nobody waits
	sent   bool        // guarded by the outbox
	gen    *generation
	at     time.Time // when it was asked for

	deadline time.Time // zero: it waits for its answer as long as it takes
	over     bool      // it was answered or its time is over; guarded by the outbox
}

// settles is the settles of one Settle frame.
type settleBatch struct {
	entries []*settle
	list    []transport.SettleItem
	looked  int // entries whose time is over, or has no end; guarded by the outbox
}

func (b *settleBatch) opcode() transport.Op { return transport.OpSettle }
func (b *settleBatch) items() int           { return len(b.entries) }
func (b *settleBatch) size() int {
	n := 0
	for i := range b.list {
		n += settleBytes + len(b.list[i].Error)
	}
	return n
}

func (b *settleBatch) appendTo(dst []byte, h transport.OpHeader) []byte {
	return transport.Settle{OpHeader: h, Items: b.list}.AppendTo(dst)
}

// pushSettle queues a settle.
func (o *outbox) pushSettle(s *settle) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err != nil {
		return o.err.about(s.op, s.d.Queue)
	}
	s.gen = o.barrier.enter()
	o.settles.waiting = append(o.settles.waiting, s)
	if !s.deadline.IsZero() {
		o.settles.timed++
	}
	signal(o.wake)
	return nil
}

// withdraw takes a settle back that still waits.
func (o *outbox) withdraw(s *settle) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if s.sent {
		return false
	}
	for i, other := range o.settles.waiting {
		if other == s {
			o.settles.waiting = append(o.settles.waiting[:i], o.settles.waiting[i+1:]...)
			o.barrier.leave(s.gen)
			return true
		}
	}
	return false
}

// nextSettles takes the settles that are to be sent next, nil for none; all
// of them, whatever is in flight, if flush is set.
func (o *outbox) nextSettles(flush bool) *settleBatch {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := len(o.settles.waiting)
	if n == 0 || !flush && len(o.settles.inFlight) >= settlesInFlight && n < settleItems {
		return nil
	}
	b, bytes := &settleBatch{}, 0
	for _, s := range o.settles.waiting[:min(n, settleItems)] {
		if bytes += len(s.item.Error); bytes > batchBytes {
			break
		}
		s.sent = true
		b.entries = append(b.entries, s)
		b.list = append(b.list, s.item)
	}
	rest := o.settles.waiting[len(b.entries):]
	o.settles.waiting = append(o.settles.waiting[:0], rest...)
	o.settles.inFlight = append(o.settles.inFlight, b)
	return b
}

// finishSettles ends the settles of a frame: with its result, or with err.
func (o *outbox) finishSettles(b *settleBatch, r *transport.Result, node string, err *Error) {
	o.mu.Lock()
	if i := slices.Index(o.settles.inFlight, b); i >= 0 {
		o.settles.inFlight = slices.Delete(o.settles.inFlight, i, i+1)
	}
	o.mu.Unlock()
	for i, s := range b.entries {
		if err != nil {
			o.endSettle(s, err.about(s.op, s.d.Queue))
			continue
		}
		v := transport.Verdict{Code: r.Code, Cause: r.Cause, RetryAfterMs: r.RetryAfterMs}
		if i < len(r.Items) {
			v = r.Items[i]
		}
		if v.Code.Accepted() {
			o.endSettle(s, nil)
		} else {
			o.endSettle(s, verdictError(s.op, s.d.Queue, node, v, r.Detail))
		}
	}
}

// endSettle tells the delivery and whoever waits.
func (o *outbox) endSettle(s *settle, refused *Error) {
	var err error
	if refused != nil {
		err = refused
	}
	s.d.settled(s, refused)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.settleOver(s)
	if s.done == nil {
		o.barrier.leave(s.gen)
		return
	}
	o.tellSettle(notice{done: s.done, err: err, gen: s.gen})
}

// await waits for a settle's answer. When ctx ends first, the settle is taken
// back if it was not sent, and its outcome is unknown if it was.
func (o *outbox) await(ctx context.Context, s *settle) error {
	select {
	case err := <-s.answer:
		return err
	case <-ctx.Done():
	}
	if o.withdraw(s) {
		o.mu.Lock()
		err := o.notSent(s.op, s.d.Queue, ctxError(ctx))
		o.mu.Unlock()
		s.d.settled(s, err)
		return err
	}
	select {
	case err := <-s.answer:
		return err
	default:
		return localError(transport.CodeUnknownOutcome, s.op, s.d.Queue, "", ctxError(ctx))
	}
}

// tell has the notifier run a settle's callback at once.
func (o *outbox) tell(done func(error), err error) {
	if done == nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.tellSettle(notice{done: done, err: err, gen: o.barrier.enter()})
}
