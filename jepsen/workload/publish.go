package workload

import (
	"context"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/jepsen/history"
)

// Publish publishes the message of a key and waits for its confirmation.
func (c *Client) Publish(ctx context.Context, queue string, k history.Key, size int) error {
	place := c.invokePublish(queue, k)
	r, err := c.conn.Publish(ctx, queue, client.Message{Body: k.Body(size)})
	c.published(place, queue, r, err, true)
	return err
}

// PublishAsync publishes without waiting: done, which may be nil, is told
// what became of it. Its error says that the client has not taken the message.
func (c *Client) PublishAsync(ctx context.Context, queue string, k history.Key, size int, done func(error)) error {
	place := c.invokePublish(queue, k)
	c.open.add()
	err := c.conn.PublishAsync(ctx, queue, client.Message{Body: k.Body(size)}, func(r client.Receipt, err error) {
		defer c.open.done()
		c.published(place, queue, r, err, false)
		if done != nil {
			done(err)
		}
	})
	if err != nil {
		c.open.done()
		c.published(place, queue, client.Receipt{}, err, false)
	}
	return err
}

// publishOnce publishes and waits for the answer. Unlike Publish it does not
// try again when the queue is busy, so that it ends with a verdict.
func (c *Client) publishOnce(ctx context.Context, queue string, k history.Key, size int) error {
	told := make(chan error, 1)
	if err := c.PublishAsync(ctx, queue, k, size, func(err error) { told <- err }); err != nil {
		return err
	}
	return <-told
}

// PublishBatch publishes messages in the order of their keys and waits for
// all. It returns the first error.
func (c *Client) PublishBatch(ctx context.Context, queue string, keys []history.Key, size int) error {
	places := make([]int, len(keys))
	messages := make([]client.Message, len(keys))
	for i, k := range keys {
		places[i] = c.invokePublish(queue, k)
		messages[i] = client.Message{Body: k.Body(size)}
	}
	results, err := c.conn.PublishBatch(ctx, queue, messages)
	first := err
	for i, place := range places {
		if err != nil {
			c.published(place, queue, client.Receipt{}, err, false)
			continue
		}
		c.published(place, queue, results[i].Receipt, results[i].Err, false)
		if first == nil {
			first = results[i].Err
		}
	}
	return first
}

func (c *Client) invokePublish(queue string, k history.Key) int {
	o := c.op(history.Publish, queue)
	o.Key = k
	return c.env.Recorder.Invoke(o)
}

// published writes down the outcome. The place in the log of a refusal is
// known only of a publish that was alone under way.
func (c *Client) published(place int, queue string, r client.Receipt, err error, alone bool) {
	c.env.Recorder.Complete(place, OutcomeOf(err), func(o *history.Op) {
		refused(o, err)
		switch {
		case err == nil:
			c.answers.receipt(o, r.ID)
		case alone && answered(err):
			c.answers.answer(o, "publish", queue)
		}
	})
}
