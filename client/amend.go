package client

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ferrymq/ferrymq/transport"
)

// What operators do to messages, breakers, groups and tenants.

// Move says where messages go.
type Move struct {
	// To is the queue, "" for where each dead letter came from.
	To string
	// Reset forgets attempts, failures and history; else they are kept.
	Reset bool
}

// DeleteMessages deletes messages of a queue for good, those that nobody holds.
//
// As in every call of its kind, each message is judged for itself: errs has one
// for each ref, in its place, nil where it was done. One Is ErrNotFound where
// the message is not there any more, and ErrInUse where somebody holds it. err
// says that nothing was tried.
func (c *Conn) DeleteMessages(ctx context.Context, queue string, refs ...MessageRef) (errs []error, err error) {
	return c.amend(ctx, "delete messages", transport.Amend{Queue: queue, Action: transport.AmendDelete}, refs)
}

// MoveMessages moves messages that nobody holds to another queue, each under its
// id. One that the queue has no room for stays where it is: its error Is ErrBusy.
// See DeleteMessages for the results.
func (c *Conn) MoveMessages(ctx context.Context, queue string, to Move, refs ...MessageRef) (errs []error, err error) {
	const name = "move messages"
	if to.To != "" {
		if err := checkOther(name, queue, "to", to.To); err != nil {
			return nil, err
		}
	}
	a := transport.Amend{Queue: queue, Action: transport.AmendMove, To: to.To, Reset: to.Reset}
	return c.amend(ctx, name, a, refs)
}

// RequeueMessages makes messages ready now, behind everything else. A message
// that somebody holds is taken from them. reset forgets attempts, failures and
// history. See DeleteMessages for the results.
func (c *Conn) RequeueMessages(ctx context.Context, queue string, reset bool, refs ...MessageRef) (errs []error, err error) {
	a := transport.Amend{Queue: queue, Action: transport.AmendRequeue, Reset: reset}
	return c.amend(ctx, "requeue messages", a, refs)
}

// ScheduleMessages makes messages that nobody holds ready at a time up to ten
// years ahead; the zero time, or one that is over, is now. Their times to live
// begin then; a request's deadline stays, and the error of one that would be ready
// no earlier Is ErrInvalid. See DeleteMessages for the results.
func (c *Conn) ScheduleMessages(ctx context.Context, queue string, at time.Time, refs ...MessageRef) (errs []error, err error) {
	a := transport.Amend{Queue: queue, Action: transport.AmendSchedule}
	if !at.IsZero() {
		a.AtMs = at.Add(time.Millisecond - 1).UnixMilli()
	}
	return c.amend(ctx, "schedule messages", a, refs)
}

// amend does it in operations of 1,000 messages, one after the other. Where one
// fails, the messages that come after are not tried.
func (c *Conn) amend(ctx context.Context, name string, a transport.Amend, refs []MessageRef) ([]error, error) {
	if err := checkQueue(name, a.Queue); err != nil {
		return nil, err
	}
	if len(refs) > MaxRefs {
		return nil, localError(transport.CodeTooLarge, name, a.Queue,
			fmt.Sprintf("%d messages, at most %d at a time", len(refs), MaxRefs), nil)
	}
	refs, err := c.locate(ctx, a.Queue, refs)
	if err != nil {
		return nil, about(err, name, a.Queue)
	}
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	errs := make([]error, len(refs))
	for from := 0; from < len(refs); {
		to := min(from+transport.MessagesMax, len(refs))
		part, err := c.amendOnce(ctx, name, a, refs[from:to])
		switch {
		case err != nil && from == 0 && !errors.Is(err, ErrUnknownOutcome):
			return nil, err
		case err != nil:
			for i := from; i < len(refs); i++ {
				errs[i] = err
			}
			return errs, nil
		}
		from += copy(errs[from:], part)
	}
	return errs, nil
}

// locate returns the refs with the places that were not told, which it looks
// for in the queue. What is not there keeps place 0, where no message is.
func (c *Conn) locate(ctx context.Context, queue string, refs []MessageRef) ([]MessageRef, error) {
	missing := map[MessageID]bool{}
	var look Filter
	for _, ref := range refs {
		if ref.Place == 0 {
			missing[ref.ID], look.ID = true, ref.ID
		}
	}
	if len(missing) == 0 {
		return refs, nil
	}
	if len(missing) > 1 {
		look.ID = MessageID{}
	}
	places := map[MessageID]uint64{}
	for m, err := range c.Browse(ctx, queue, look) {
		if err != nil {
			return nil, err
		}
		if missing[m.ID] {
			if places[m.ID] = m.Place; len(places) == len(missing) {
				break
			}
		}
	}
	refs = slices.Clone(refs)
	for i := range refs {
		if refs[i].Place == 0 {
			refs[i].Place = places[refs[i].ID]
		}
	}
	return refs, nil
}

// amendOnce is one operation; it has an error, which may be nil, for each message.
func (c *Conn) amendOnce(ctx context.Context, name string, a transport.Amend, refs []MessageRef) ([]error, error) {
	a.Items = make([]transport.AmendItem, len(refs))
	for i, ref := range refs {
		a.Items[i] = transport.AmendItem{Place: ref.Place, Index: ref.ID.Index, Position: ref.ID.Position}
	}
	r, err := c.operate(ctx, &control{
		op: transport.OpAmend, name: name, resource: a.Queue, count: len(refs),
		encode: func(dst []byte, h transport.OpHeader) []byte {
			a.OpHeader = h
			return a.AppendTo(dst)
		},
		describe: func(answer *Answer) { answer.Amended = refs },
	}, nil)
	errs := make([]error, len(refs))
	if err != nil && len(r.Items) == 0 {
		return errs, err
	}
	for i, v := range r.Items[:min(len(r.Items), len(refs))] {
		if !v.Code.Accepted() {
			detail := "message " + refs[i].ID.String()
			if v.Code == transport.CodeInvalid && r.Detail != "" {
				detail += ": " + r.Detail
			}
			errs[i] = verdictError(name, a.Queue, c.Node(), v, detail)
		}
	}
	return errs, nil
}

// OpenBreaker opens the queue's circuit breaker until CloseBreaker: nothing is
// handed out. The error Is ErrInvalid if the queue has none.
func (c *Conn) OpenBreaker(ctx context.Context, queue string) error {
	return c.setBreaker(ctx, "open breaker", queue, transport.BreakerOpen)
}

// CloseBreaker closes the queue's circuit breaker and forgets what opened it.
func (c *Conn) CloseBreaker(ctx context.Context, queue string) error {
	return c.setBreaker(ctx, "close breaker", queue, transport.BreakerClose)
}

func (c *Conn) setBreaker(ctx context.Context, name, queue string, action transport.BreakerAction) error {
	return c.change(ctx, transport.OpQueueBreaker, name, queue, func(h transport.OpHeader) appender {
		return transport.QueueBreaker{OpHeader: h, Queue: queue, Action: action}
	})
}

// ResumeGroup lets a message group go on that is held because its head was
// dead-lettered, and returns the number of its messages, which may be 0. The
// error Is ErrNotFound if the group has none and is not held.
func (c *Conn) ResumeGroup(ctx context.Context, queue, group string) (messages uint64, err error) {
	return c.changed(ctx, transport.OpGroupResume, "resume group", queue, func(h transport.OpHeader) appender {
		return transport.GroupResume{OpHeader: h, Queue: queue, GroupKey: group}
	})
}

// SetTenantWeight sets how many messages a tenant of a fair queue gets in its
// turn, 1 to 1,000. Tenants tells it. The error Is ErrInvalid if the queue is not fair.
func (c *Conn) SetTenantWeight(ctx context.Context, queue, tenant string, weight int) error {
	if weight < 1 || weight > MaxTenantWeight {
		return localError(transport.CodeInvalid, "set tenant weight", queue,
			fmt.Sprintf("weight %d: 1 to %d are possible", weight, MaxTenantWeight), nil)
	}
	return c.change(ctx, transport.OpTenantWeight, "set tenant weight", queue, func(h transport.OpHeader) appender {
		return transport.TenantWeight{OpHeader: h, Queue: queue, Tenant: tenant, Weight: uint32(weight)}
	})
}
