package client

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/time/rate"

	"github.com/ferrymq/ferrymq/transport"
)

const (
	// redriveBatch is the most messages that move in one entry of the log.
	redriveBatch = 100
	// maxRedriveErrors bounds the errors that a RedriveResult keeps.
	maxRedriveErrors = 100
)

// RedriveOptions say what to redrive and how.
type RedriveOptions struct {
	From string // the queue, a dead-letter queue as a rule
	// To is the queue that the messages go to, "" for where each dead letter
	// came from.
	To     string
	IDs    []MessageID // these only; none: all
	Filter Filter      // those only, as in Browse
	Rate   float64     // messages a second; 0: as fast as it goes
	DryRun bool        // only count
	Reset  bool        // forget attempts, failures and history; else they are kept
	// Progress, if not nil, is told now and then how many messages are done, of
	// how many. It runs on the caller's goroutine.
	Progress func(done, total int)
}

// RedriveResult is what a redrive did, also one that ended early.
type RedriveResult struct {
	Matched int // messages that were found in the beginning
	Moved   int
	Gone    int // taken by somebody else meanwhile
	Failed  int // refused for good; they are where they were
	// Errors of the first 100 that failed, by message.
	Errors map[MessageID]error
}

// Redrive moves the messages of a dead-letter queue back: those that are there
// when it begins. It moves at most 100 in one entry of the log, each under its
// id, so that a redrive which is killed has neither lost nor doubled one, and
// another one goes on where it ended.
//
// While a target is busy it waits, until ctx ends, which has no other end here.
// The error says why it ended early; the result holds all the same. When ctx
// ended, it is the context's for errors.Is, and ErrTimeout only if nothing was
// moved; ErrUnknownOutcome: the last step may or may not have been done.
func (c *Conn) Redrive(ctx context.Context, o RedriveOptions) (RedriveResult, error) {
	r := redrive{c: c, o: o, pause: rate.NewLimiter(rate.Inf, redriveBatch)}
	if o.To != "" {
		to, err := c.Queue(ctx, o.To)
		if err == nil && to.DeadLetter == "" {
			err = localError(transport.CodeInvalid, "", "", "a dead-letter queue is filled by the system only", nil)
		}
		if err != nil { // each message would be refused, as if it were gone
			return r.result, aboutOther(err, "redrive", o.From, "to", o.To)
		}
	}
	if !(o.Rate >= 0) { // nor is it no number
		return r.result, localError(transport.CodeInvalid, "redrive", o.From, fmt.Sprintf("rate %v: 0 and more are possible", o.Rate), nil)
	}
	if o.Rate > 0 {
		r.batch = max(1, min(redriveBatch, int(o.Rate/4))) // four times a second rather than one lump
		r.pause = rate.NewLimiter(rate.Limit(o.Rate), r.batch)
	} else {
		r.batch = redriveBatch
	}
	if len(o.IDs) > 0 {
		r.wanted = map[MessageID]bool{}
		for _, id := range o.IDs {
			r.wanted[id] = true
		}
		if len(r.wanted) == 1 && o.Filter.ID == (MessageID{}) {
			r.o.Filter.ID = o.IDs[0]
		}
	}
	err := r.count(ctx)
	if err == nil && !o.DryRun {
		err = r.run(ctx)
	}
	if err != nil {
		err = r.partly(ctx, about(err, "redrive", o.From))
	}
	return r.result, err
}

// partly is the error of a redrive, which has applied something although its
// last step timed out before it was begun.
func (r *redrive) partly(ctx context.Context, err error) error {
	var e *Error
	if r.result.Moved == 0 || !errors.As(err, &e) || e.Code != transport.CodeTimeout {
		return err
	}
	text := fmt.Sprintf("ferry: redrive %q: some were moved, the next step was not begun", r.o.From)
	if e.Detail != "" {
		text += ": " + e.Detail
	}
	why := e.wrapped
	if why == nil || errors.Is(why, ErrTimeout) { // of a node that did not answer: it, too, says that nothing was applied
		why = outOfTime(ctx)
	}
	return fmt.Errorf("%s: %w", text, why)
}

// outOfTime is why a step cannot be begun: ctx ended, or would in the meantime.
func outOfTime(ctx context.Context) error {
	if why := ctxError(ctx); why != nil {
		return why
	}
	return context.DeadlineExceeded
}

// redrive is one under way.
type redrive struct {
	c      *Conn
	o      RedriveOptions
	wanted map[MessageID]bool // nil: all
	pause  *rate.Limiter
	batch  int
	last   uint64          // place of the last message that was there in the beginning
	gone   map[string]bool // queues that dead letters came from: whether they are gone
	result RedriveResult
}

// count finds what there is: what dies meanwhile, perhaps once more, comes after.
func (r *redrive) count(ctx context.Context) error {
	for m, err := range r.c.Browse(ctx, r.o.From, r.o.Filter) {
		if err != nil {
			return err
		}
		if !r.matches(&m) {
			continue
		}
		r.last = m.Place
		r.result.Matched++
		if len(r.wanted) > 0 && r.result.Matched == len(r.wanted) {
			break
		}
	}
	r.progress()
	return nil
}

func (r *redrive) matches(m *BrowsedMessage) bool { return r.wanted == nil || r.wanted[m.ID] }

func (r *redrive) progress() {
	if r.o.Progress != nil {
		r.o.Progress(r.result.Moved+r.result.Gone+r.result.Failed, r.result.Matched)
	}
}

// run goes through the queue once more and moves.
func (r *redrive) run(ctx context.Context) error {
	var batch []redriven
	for m, err := range r.c.Browse(ctx, r.o.From, r.o.Filter) {
		if err != nil {
			return err
		}
		if m.Place > r.last {
			break
		}
		if !r.matches(&m) {
			continue
		}
		if batch = append(batch, redrivenOf(&m)); len(batch) < r.batch {
			continue
		}
		if err := r.move(ctx, batch); err != nil {
			return err
		}
		batch = batch[:0]
	}
	if len(batch) == 0 {
		return nil
	}
	return r.move(ctx, batch)
}

// redriven is a message and where it died.
type redriven struct {
	ref    MessageRef
	origin string
}

func redrivenOf(m *BrowsedMessage) redriven {
	if m.Death == nil {
		return redriven{ref: m.MessageRef}
	}
	return redriven{m.MessageRef, m.Death.Queue}
}

// move moves a batch, and what a busy queue refuses once more.
func (r *redrive) move(ctx context.Context, batch []redriven) error {
	if err := r.pause.WaitN(ctx, len(batch)); err != nil {
		return localError(transport.CodeTimeout, "redrive", r.o.From, "", outOfTime(ctx))
	}
	pause := busyPause()
	for {
		refs := make([]MessageRef, len(batch))
		for i := range batch {
			refs[i] = batch[i].ref
		}
		errs, err := r.c.MoveMessages(ctx, r.o.From, Move{To: r.o.To, Reset: r.o.Reset}, refs...)
		if err == nil {
			err = unknown(errs)
		}
		var least time.Duration
		var e *Error
		switch {
		case err != nil && errors.As(err, &e) && e.Code == transport.CodeBusy:
			least = e.RetryAfter
		case err != nil:
			return err
		default:
			if batch, least, err = r.judge(ctx, batch, errs); err != nil {
				return err
			}
			r.progress()
		}
		if len(batch) == 0 {
			return nil
		}
		if !sleep(ctx, max(pause.NextBackOff(), least)) {
			return localError(transport.CodeTimeout, "redrive", r.o.From, "the target is busy", ctxError(ctx))
		}
	}
}

// unknown is the error of a batch whose outcome nobody knows.
func unknown(errs []error) error {
	for _, err := range errs {
		if errors.Is(err, ErrUnknownOutcome) {
			return err
		}
	}
	return nil
}

// judge counts the verdicts and returns those that are to be tried again.
func (r *redrive) judge(ctx context.Context, batch []redriven, errs []error) (again []redriven, least time.Duration, err error) {
	for _, refused := range errs { // first: what follows may ask, and fail
		if refused == nil {
			r.result.Moved++
		}
	}
	for i, refused := range errs {
		var e *Error
		if !errors.As(refused, &e) { // always one of ours
			continue
		}
		if e.Code == transport.CodeBusy {
			again = append(again, batch[i])
			least = max(least, e.RetryAfter)
			continue
		}
		gone := e.Code == transport.CodeNotFound
		if gone && r.o.To == "" { // the message, or where it came from?
			lost, err := r.originGone(ctx, batch[i].origin)
			if err != nil {
				return nil, 0, err
			}
			gone = !lost
		}
		if gone {
			r.result.Gone++
			continue
		}
		r.result.Failed++
		if r.result.Errors == nil {
			r.result.Errors = map[MessageID]error{}
		}
		if len(r.result.Errors) < maxRedriveErrors {
			r.result.Errors[batch[i].ref.ID] = refused
		}
	}
	return again, least, nil
}

// originGone tells whether the queue that a dead letter came from is gone. The
// origins of one dead-letter queue are few.
func (r *redrive) originGone(ctx context.Context, queue string) (bool, error) {
	if gone, known := r.gone[queue]; known {
		return gone, nil
	}
	_, err := r.c.Queue(ctx, queue)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return false, err
	}
	if r.gone == nil || len(r.gone) >= maxRedriveErrors {
		r.gone = map[string]bool{}
	}
	r.gone[queue] = err != nil
	return err != nil, nil
}
