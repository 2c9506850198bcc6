package workload

import (
	"context"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/jepsen/check"
	"github.com/ferrymq/ferrymq/jepsen/history"
)

// message begins the publish of a message that is more than its body. What it
// asks for besides is the caller's to add to both.
func (c *Client) message(queue string, k history.Key, size int) (history.Op, client.Message) {
	o := c.op(history.Publish, queue)
	o.Key = k
	return o, client.Message{Body: k.Body(size)}
}

// send publishes a message, as o, without waiting: done, which may be nil, is
// told what became of it. Its error says that the client has not taken it.
func (c *Client) send(ctx context.Context, o history.Op, m client.Message, done func(error)) error {
	place := c.env.Recorder.Invoke(o)
	c.open.add()
	err := c.conn.PublishAsync(ctx, o.Queue, m, func(r client.Receipt, err error) {
		defer c.open.done()
		c.confirmed(place, r, err)
		if done != nil {
			done(err)
		}
	})
	if err != nil {
		c.open.done()
		c.confirmed(place, client.Receipt{}, err)
	}
	return err
}

// confirmed writes down what a receipt says. A message that was dropped is one
// that nobody may ever see.
func (c *Client) confirmed(place int, r client.Receipt, err error) {
	outcome := OutcomeOf(err)
	if r.Dropped {
		outcome = history.Fail
	}
	c.env.Recorder.Complete(place, outcome, func(o *history.Op) {
		refused(o, err)
		switch {
		case err != nil:
		case r.Dropped:
			o.Code = check.CodeDropped
		case r.Duplicate:
			o.Code, o.At = check.CodeDuplicate, witnessOf(r.First)
		default:
			c.answers.receipt(o, r.ID)
		}
	})
}
