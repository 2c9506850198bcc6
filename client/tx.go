package client

import (
	"context"
	"errors"
	"fmt"

	"github.com/ferrymq/ferrymq/fsm/record"
	"github.com/ferrymq/ferrymq/transport"
	"github.com/ferrymq/ferrymq/transport/wire"
)

// Tx settles deliveries and publishes messages in one step: all of it or
// nothing, whatever fails on the way. It is filled, then committed, by one
// goroutine at a time. A handler may commit its delivery instead of acking it.
//
// A Tx has at most 1,000 settles and messages, and 1 MiB of headers and bodies.
type Tx struct {
	c         *Conn
	settles   []txSettle
	publishes []transport.CommitPublish
	messages  int
	logical   int
	bytes     int // of its frame, about
	done      bool
	err       error // what was wrong with a call
}

type txSettle struct {
	d    *Delivery
	op   string
	item transport.SettleItem
}

const (
	// txBytes is the largest frame of a Tx: what its messages need beside their
	// headers and bodies counts too.
	txBytes = transport.FrameMax - 64<<10
	// settleBytes is what a settle takes there, its error aside.
	settleBytes = 48
)

// TxResult of a Tx that was committed.
type TxResult struct {
	// Receipts of the messages, in the order of the calls of Publish.
	Receipts []Receipt
	// Queues is how many queues got the messages from topics, all together.
	Queues int
}

// NewTx begins a Tx. Nothing of it is sent before Commit, and one that is not
// committed needs no end.
func (c *Conn) NewTx() *Tx { return &Tx{c: c} }

// Ack settles the delivery: it is done.
func (t *Tx) Ack(d *Delivery) {
	t.settle(d, "ack", transport.SettleItem{Action: transport.ActionAck})
}

// Nack gives the message back for another attempt.
func (t *Tx) Nack(d *Delivery, opts ...NackOption) {
	item, err := nackOf(opts)
	if err != nil {
		t.wrong(about(err, "nack", d.Queue))
		return
	}
	t.settle(d, "nack", item)
}

// Reject moves the message to the dead-letter queue.
func (t *Tx) Reject(d *Delivery, reason string) { t.settle(d, "reject", rejectItem(reason)) }

// Publish publishes a message to a queue or topic. The Tx keeps a copy of it.
func (t *Tx) Publish(queue string, m Message) {
	if err := checkQueue("publish", queue); err != nil {
		t.wrong(err)
		return
	}
	r, err := recordOf(&m)
	if err != nil {
		t.wrong(about(err, "publish", queue))
		return
	}
	size := record.Size(&r)
	last := len(t.publishes) - 1
	if last < 0 || t.publishes[last].Queue != queue {
		t.publishes = append(t.publishes, transport.CommitPublish{Queue: queue})
		last++
	}
	p := &t.publishes[last]
	records, err := record.Append(wire.AppendBytesLen(p.Records, size), &r)
	if err != nil {
		t.wrong(recordError(queue, err))
		return
	}
	t.bytes += len(records) - len(p.Records)
	t.logical += record.LogicalSize(&r)
	p.Records = records
	p.Count++
	t.messages++
	t.fits("publish", queue)
}

func (t *Tx) settle(d *Delivery, op string, item transport.SettleItem) {
	switch {
	case d.k.c != t.c:
		t.wrong(localError(transport.CodeInvalid, op, d.Queue, "the delivery is another connection's", nil))
	case d.k.opts.noAck: // nothing is to be settled
	default:
		t.settles = append(t.settles, txSettle{d, op, item})
		t.bytes += settleBytes + len(item.Error)
		t.fits(op, d.Queue)
	}
}

// fits notes when the Tx becomes too large.
func (t *Tx) fits(op, queue string) {
	switch {
	case t.messages+len(t.settles) > transport.MessagesMax:
		t.wrong(localError(transport.CodeTooLarge, op, queue,
			fmt.Sprintf("a Tx has at most %d settles and messages", transport.MessagesMax), nil))
	case t.logical > transport.MessageMax, t.bytes > txBytes:
		t.wrong(localError(transport.CodeTooLarge, op, queue,
			fmt.Sprintf("a Tx has at most %d bytes of headers and bodies", transport.MessageMax), nil))
	}
}

func (t *Tx) wrong(err error) {
	if t.err == nil {
		t.err = err
	}
}

// Commit does all of it, or nothing, and waits for the confirmation. What was
// wrong with an earlier call is told here. While a queue is busy it tries again
// until ctx ends; the error then Is ErrBusy. After a lost connection it asks
// again under the same number, so that nothing is done twice.
//
// The error Is ErrLeaseLost when a delivery is not held any more: Error.Delivery
// is that delivery, where it is known. After an error that Is ErrUnknownOutcome
// the Tx may or may not have been done, as a whole. After any other error
// nothing was done and the deliveries are held as before; Commit may be called
// again. A Tx is committed once: then the error Is ErrInvalid.
func (t *Tx) Commit(ctx context.Context) (TxResult, error) { return t.commit(ctx, false) }

func (t *Tx) commit(ctx context.Context, patient bool) (TxResult, error) {
	if t.err != nil {
		return TxResult{}, t.err
	}
	if t.done {
		return TxResult{}, localError(transport.CodeInvalid, "commit", "", "it was committed", nil)
	}
	if t.messages+len(t.settles) == 0 {
		return TxResult{}, nil
	}
	if !patient {
		bound, cancel := t.c.bounded(ctx)
		defer cancel()
		ctx = bound
	}
	pause := busyPause()
	for {
		result, err := t.commitOnce(ctx, patient)
		if err == nil || errors.Is(err, ErrUnknownOutcome) {
			t.done = true
		}
		var e *Error
		if err == nil || !errors.As(err, &e) || e.Code != transport.CodeBusy {
			return result, err
		}
		if e.Cause == transport.CauseRoom {
			pause.Reset()
		}
		if !sleep(ctx, max(pause.NextBackOff(), e.RetryAfter)) {
			e.wrapped = ctxError(ctx)
			return result, e
		}
	}
}

func (t *Tx) commitOnce(ctx context.Context, patient bool) (TxResult, error) {
	began, items, err := t.begin()
	if err != nil {
		return TxResult{}, err
	}
	ctl := &control{
		op: transport.OpCommit, name: "commit", count: len(items) + t.messages,
		messages: max(t.messages, 1), bytes: t.bytes, again: true, patient: patient,
		encode: func(dst []byte, h transport.OpHeader) []byte {
			return transport.Commit{OpHeader: h, Settles: items, Publishes: t.publishes}.AppendTo(dst)
		},
		describe: t.describe(items),
	}
	for i, p := range t.publishes {
		if i > 0 && p.Queue != ctl.resource {
			ctl.resource = "" // the answer does not say which of them is meant
			break
		}
		ctl.resource = p.Queue
	}
	r, err := t.c.operate(ctx, ctl, func(r *transport.Result, err *Error) { endTogether(began, r, err) })
	if err != nil {
		return TxResult{}, err
	}
	return t.result(ctl.group, &r), nil
}

// begin has every delivery settling, or none.
func (t *Tx) begin() (began []*settle, items []transport.SettleItem, err error) {
	for _, each := range t.settles {
		s, err := each.d.beginTogether(each.op, each.item)
		if err != nil {
			endTogether(began, nil, asError(err))
			var e *Error
			if errors.As(err, &e) {
				e.Delivery = each.d
			}
			return nil, nil, err
		}
		began = append(began, s)
		items = append(items, s.item)
	}
	return began, items, nil
}

// result tells what became of the messages.
func (t *Tx) result(group uint32, r *transport.Result) TxResult {
	result := TxResult{Queues: int(r.Value)}
	for i := range t.messages {
		v := transport.Verdict{Code: r.Code}
		if i < len(r.Items) {
			v = r.Items[i]
		}
		result.Receipts = append(result.Receipts, receiptOf(group, r, i, t.messages, v))
	}
	return result
}

// describe is for the trace.
func (t *Tx) describe(items []transport.SettleItem) func(*Answer) {
	publishes := t.publishes
	return func(a *Answer) {
		for _, item := range items {
			a.Tokens = append(a.Tokens, item.Token)
			a.Actions = append(a.Actions, item.Action)
		}
		for _, p := range publishes {
			a.Publishes = append(a.Publishes, AnsweredPublish{Queue: p.Queue, Messages: int(p.Count)})
		}
	}
}
