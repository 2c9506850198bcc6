package workload

import (
	"context"
	"errors"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/jepsen/check"
	"github.com/ferrymq/ferrymq/jepsen/history"
)

// controls are the library's names of what changes a queue.
var controls = map[history.Kind]string{
	history.Create: "create queue", history.Update: "update queue", history.Delete: "delete queue",
	history.Purge: "purge queue", history.Pause: "pause queue", history.Resume: "resume queue",
	check.OpenBreaker: "open breaker", check.CloseBreaker: "close breaker",
}

// Create makes a queue.
func (c *Client) Create(ctx context.Context, queue string, s client.QueueSettings) error {
	return c.control(history.Create, queue, func(*history.Op) error { return c.conn.CreateQueue(ctx, queue, s) })
}

// Update replaces a queue's settings.
func (c *Client) Update(ctx context.Context, queue string, s client.QueueSettings) error {
	return c.control(history.Update, queue, func(*history.Op) error { return c.conn.UpdateQueue(ctx, queue, s) })
}

// Delete deletes a queue.
func (c *Client) Delete(ctx context.Context, queue string, opts ...client.DeleteOption) error {
	return c.control(history.Delete, queue, func(*history.Op) error { return c.conn.DeleteQueue(ctx, queue, opts...) })
}

// Purge empties a queue, and writes down of how many messages.
func (c *Client) Purge(ctx context.Context, queue string) error {
	return c.control(history.Purge, queue, func(o *history.Op) (err error) {
		o.Value, err = c.conn.PurgeQueue(ctx, queue)
		return err
	})
}

// Pause has a queue hand out nothing.
func (c *Client) Pause(ctx context.Context, queue string) error {
	return c.control(history.Pause, queue, func(*history.Op) error { return c.conn.PauseQueue(ctx, queue) })
}

// Resume has it hand out again.
func (c *Client) Resume(ctx context.Context, queue string) error {
	return c.control(history.Resume, queue, func(*history.Op) error { return c.conn.ResumeQueue(ctx, queue) })
}

// Read reads the queue's counts, linearizably.
func (c *Client) Read(ctx context.Context, queue string) (client.QueueInfo, error) {
	place := c.env.Recorder.Invoke(c.op(history.Read, queue))
	info, err := c.conn.Queue(ctx, queue)
	counts := QueueOf(info)
	c.env.Recorder.Complete(place, OutcomeOf(err), func(o *history.Op) {
		if refused(o, err); err == nil {
			o.Counts = &counts
		}
	})
	return info, err
}

// QueueOf is a queue's counts in the words of a history.
func QueueOf(q client.QueueInfo) history.Queue {
	return history.Queue{
		Name: q.Name, Incarnation: q.Incarnation, Ready: q.Ready, Leased: q.Leased,
		Scheduled: q.Scheduled, Retrying: q.Retrying, Parked: q.Parked,
		Published: q.Published, Acked: q.Acked, Dead: q.Dead, Purged: q.Purged,
		Expired: q.Expired, Overflowed: q.Overflowed, Missed: q.Missed, Duplicates: q.Duplicates,
	}
}

// control makes one change of a queue. f may set what the answer tells.
func (c *Client) control(kind history.Kind, queue string, f func(*history.Op) error) error {
	place := c.env.Recorder.Invoke(c.op(kind, queue))
	var told history.Op
	err := f(&told)
	c.env.Recorder.Complete(place, OutcomeOf(err), func(o *history.Op) {
		if refused(o, err); err == nil || answered(err) {
			c.answers.answer(o, controls[kind], queue)
		}
		o.Value = told.Value
	})
	return err
}

// answered tells whether a refusal is a node's answer, not the client's own.
func answered(err error) bool {
	var e *client.Error
	return errors.As(err, &e) && e.Node != "" && OutcomeOf(err) == history.Fail
}
