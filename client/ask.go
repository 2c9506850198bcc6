package client

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ferrymq/ferrymq/fsm/record"
	"github.com/ferrymq/ferrymq/transport"
)

// expirySlack is how long after its deadline a request waits to be told by
// the cluster how it ended.
const expirySlack = time.Second

// RequestOption of Request.
type RequestOption func(*requestOptions)

type requestOptions struct {
	within  time.Duration
	noRetry bool
	replyTo string
}

// WithRequestDeadline is how long the answer may take, 1 ms to 24 h: what is
// left of ctx by default, or the request timeout. The message is dropped when
// it is over.
func WithRequestDeadline(d time.Duration) RequestOption {
	return func(o *requestOptions) { o.within = d }
}

// NoRetry ends the request with ErrResponderLost when its responder is lost.
// By default another one gets it.
func NoRetry() RequestOption { return func(o *requestOptions) { o.noRetry = true } }

// WithDurableReply has the answer go through a queue, for answers above 64 KiB
// or such that must not be lost with the requester. The responder publishes it
// there and acks the request in one Tx, as Respond does; an ack without it
// leaves the request without an answer until its deadline.
//
// From the first such request on until Close, the connection consumes the
// queue: it has to be this connection's own. Answers that nobody waits for any
// more, because the time of their requests is over, are rejected: they are in
// its dead-letter queue.
func WithDurableReply(queue string) RequestOption {
	return func(o *requestOptions) { o.replyTo = queue }
}

// Response is the answer to a request.
type Response struct {
	Message
	ID    MessageID // of the answer
	Empty bool      // the request was acked, and answered by nothing
}

// Request publishes a message and waits for its answer, which some consumer of
// the queue gives by Reply, or Respond does. The deadline is put on the wall
// clock: this process's and the cluster's should agree. A busy queue is tried
// again, as by Publish, until ctx ends.
//
// A lost connection or leader changes nothing: the request is published once,
// and its answer is asked for again until the deadline. Unless NoRetry is
// given, a request whose responder was lost is worked on once more.
//
// The error Is ErrNoResponders, at once, when no consumer is attached to the
// queue; ErrConflict when its DedupID was published before; ErrExpired when there was no answer in time, and the request may have
// been worked on all the same; ErrDeadLettered when its message failed too
// often, was rejected or was removed; ErrResponderLost with NoRetry; or one of
// Publish. Until its answer has come, or its deadline, a request takes one of
// 1,024 places of the session: beyond them the error Is ErrTooManyRequests.
func (c *Conn) Request(ctx context.Context, queue string, m Message, opts ...RequestOption) (*Response, error) {
	var o requestOptions
	for _, opt := range opts {
		opt(&o)
	}
	if o.within < 0 || o.within > MaxRequestDeadline {
		return nil, localError(transport.CodeInvalid, "request", queue,
			fmt.Sprintf("deadline %v away: at most %v are possible", o.within, MaxRequestDeadline), nil)
	}
	if err := checkQueue("request", queue); err != nil {
		return nil, err
	}
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	q := &question{c: c, queue: queue, noRetry: o.noRetry, deadline: deadlineOf(ctx, o.within)}
	if o.replyTo != "" {
		if err := checkReplyQueue(queue, o.replyTo); err != nil {
			return nil, err
		}
		in, err := c.inbox(ctx, o.replyTo)
		if err != nil {
			return nil, aboutOther(err, "request", queue, "reply queue", o.replyTo)
		}
		m.ReplyTo = o.replyTo
		if m.CorrelationID == "" {
			m.CorrelationID = correlation()
		}
		if q.durable, err = in.expect(m.CorrelationID); err != nil {
			return nil, about(err, "request", queue)
		}
		defer in.forget(m.CorrelationID)
		q.inbox = in
	}
	if err := q.encode(&m); err != nil {
		return nil, err
	}
	return q.ask(ctx)
}

// deadlineOf is when an answer comes too late.
func deadlineOf(ctx context.Context, within time.Duration) time.Time {
	now := time.Now()
	at := now.Add(MaxRequestDeadline)
	if end, ok := ctx.Deadline(); ok && end.Before(at) {
		at = end
	}
	if end := now.Add(within); within > 0 && end.Before(at) {
		at = end
	}
	return at
}

func correlation() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// question is one call of Request.
type question struct {
	c        *Conn
	queue    string
	noRetry  bool
	deadline time.Time
	records  []byte
	inbox    *inbox         // nil without a durable reply
	durable  chan *Response // holds one
}

func (q *question) encode(m *Message) error {
	r, err := recordOf(m)
	if err != nil {
		return about(err, "request", q.queue)
	}
	r.DeadlineMillis = uint64(max(q.deadline.UnixMilli(), 1))
	if n := record.LogicalSize(&r); n > transport.MessageMax {
		return localError(transport.CodeTooLarge, "request", q.queue,
			fmt.Sprintf("at most %d bytes of headers and body are taken", transport.MessageMax), nil)
	}
	if q.records, err = recordAlone(&r); err != nil {
		return about(recordError(q.queue, err), "request", q.queue)
	}
	return nil
}

// ask tries until the queue is not busy.
func (q *question) ask(ctx context.Context) (*Response, error) {
	pause := busyPause()
	for {
		response, err := q.askOnce(ctx)
		var e *Error
		if err == nil || !errors.As(err, &e) || e.Code != transport.CodeBusy {
			return response, err
		}
		if e.Cause == transport.CauseRoom {
			pause.Reset()
		}
		if !sleep(ctx, max(pause.NextBackOff(), e.RetryAfter)) {
			e.wrapped = ctxError(ctx)
			return nil, e
		}
	}
}

// askOnce publishes the request and waits for its answer.
func (q *question) askOnce(ctx context.Context) (*Response, error) {
	w := &awaited{queue: q.queue, deadline: q.deadline, answer: make(chan answered, 1)}
	sends := 0
	ctl := &control{
		op: transport.OpRequest, name: "request", resource: q.queue,
		messages: 1, bytes: len(q.records), again: true,
		encode: func(dst []byte, h transport.OpHeader) []byte {
			sends++
			q.c.m.await(w, h.Number)
			return transport.Request{OpHeader: h, Queue: q.queue, NoRetry: q.noRetry, Records: q.records, Taken: w.taken}.AppendTo(dst)
		},
	}
	r, err := q.c.operate(ctx, ctl, func(_ *transport.Result, err *Error) {
		if sends > 0 { // else this is not the manager, or there is nothing to note
			q.c.m.stored(w, sends > 1, err)
		}
	})
	if err == nil {
		if err = q.notStored(&r); err == nil {
			return q.wait(ctx, w)
		}
	}
	q.c.forgetAwaited(w)
	select {
	case a := <-w.answer: // it came before the request was confirmed
		if a.err == nil {
			return q.answer(ctx, a.response)
		}
	default:
	}
	return nil, alone(err)
}

// alone leaves out which message a refusal is about where there is but one.
func alone(err error) error {
	var e *Error
	if !errors.As(err, &e) {
		return err
	}
	told := e.about(e.Op, e.Resource) // a copy
	told.Detail = strings.TrimPrefix(e.Detail, "message 0: ")
	return told
}

// notStored is the error of a request that was accepted as a publish would be,
// and not stored: no answer follows.
func (q *question) notStored(r *transport.Result) error {
	v := transport.Verdict{Code: r.Code}
	if len(r.Items) == 1 {
		v = r.Items[0]
	}
	switch v.Code {
	case transport.CodeDuplicate:
		return localError(transport.CodeConflict, "request", q.queue, "a message with its DedupID was published before", nil)
	case transport.CodeDropped:
		e := localError(transport.CodeBusy, "request", q.queue, "dropped by the queue's policy", nil)
		e.Cause = transport.CauseMessages
		return e
	}
	return nil
}

// wait waits for the answer to a request that is stored.
func (q *question) wait(ctx context.Context, w *awaited) (*Response, error) {
	late := time.NewTimer(time.Until(q.deadline) + expirySlack)
	defer late.Stop()
	over := q.inboxOver()
	var err error
	select {
	case a := <-w.answer:
		if a.err != nil {
			return nil, a.err
		}
		return q.answer(ctx, a.response)
	case response := <-q.durable:
		q.c.forgetAwaited(w)
		return response, nil
	case <-late.C:
		err = q.late()
	case <-ctx.Done():
		err = q.left(ctx)
	case <-over:
		err = localError(transport.CodeUnknownOutcome, "request", q.queue, "", q.inbox.k.Err())
	case <-q.c.m.done:
		err = localError(transport.CodeUnknownOutcome, "request", q.queue, "", ErrClosed)
	}
	q.c.forgetAwaited(w)
	select {
	case a := <-w.answer:
		if a.err != nil || q.inbox == nil || !a.response.Empty {
			return a.response, a.error()
		}
	case response := <-q.durable:
		return response, nil
	default:
	}
	return nil, err
}

// answer is the response, or what comes through the queue after an ack.
func (q *question) answer(ctx context.Context, r *Response) (*Response, error) {
	if q.inbox == nil || !r.Empty {
		return r, nil
	}
	late := time.NewTimer(time.Until(q.deadline) + expirySlack)
	defer late.Stop()
	select {
	case response := <-q.durable:
		return response, nil
	case <-late.C:
		return nil, q.late()
	case <-ctx.Done():
		return nil, q.left(ctx)
	case <-q.inboxOver():
		return nil, localError(transport.CodeUnknownOutcome, "request", q.queue, "", q.inbox.k.Err())
	}
}

func (q *question) inboxOver() <-chan struct{} {
	if q.inbox == nil {
		return nil
	}
	return q.inbox.k.Done()
}

// late is the error of a request that was not answered in time.
func (q *question) late() *Error {
	return localError(transport.CodeExpired, "request", q.queue, "", nil)
}

// left is the error of one whose user went away, at its deadline as a rule.
func (q *question) left(ctx context.Context) *Error {
	code := transport.CodeUnknownOutcome
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		code = transport.CodeExpired
	}
	return localError(code, "request", q.queue, "", ctxError(ctx))
}
