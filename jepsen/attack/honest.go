package attack

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/ferrymq/ferrymq/client"
)

// HealthQueue has to exist in a cluster under attack; Healthy uses it.
const HealthQueue = "health"

// Healthy publishes a message and consumes one, as an honest client. Several may
// run at once: each takes as many messages as it brings.
func Healthy(ctx context.Context, t Target) error {
	err := honest(ctx, t, func(c *client.Conn) error {
		if _, err := c.Publish(ctx, HealthQueue, client.Message{Body: []byte("well?")}); err != nil {
			return err
		}
		for d, err := range c.Messages(ctx, HealthQueue, client.WithPrefetch(1)) {
			if err != nil {
				return err
			}
			return d.Ack(ctx)
		}
		return errors.New("the consumer ended")
	})
	if err != nil {
		return fmt.Errorf("the cluster does not go on: %w", err)
	}
	return nil
}

// honest runs f with a well-behaved client.
func honest(ctx context.Context, t Target, f func(c *client.Conn) error) error {
	c, err := client.Dial(ctx, t.URL)
	if err != nil {
		return err
	}
	return errors.Join(f(c), c.Close())
}

// refused wants a publish to be refused with the sentinel.
func refused(ctx context.Context, t Target, queue string, body []byte, want error) error {
	return honest(ctx, t, func(c *client.Conn) error {
		_, err := c.Publish(ctx, queue, client.Message{Body: body})
		var typed *client.Error
		switch {
		case err == nil:
			return errors.New("the publish was confirmed")
		case !errors.Is(err, want) || !errors.As(err, &typed):
			return fmt.Errorf("want %q: %w", want, err)
		}
		return nil
	})
}

func unknownQueue(ctx context.Context, t Target) error {
	return refused(ctx, t, "nowhere", nil, client.ErrNotFound)
}

func tooLargeMessage(ctx context.Context, t Target) error {
	return refused(ctx, t, HealthQueue, bytes.Repeat([]byte{'x'}, 1<<20+1), client.ErrTooLarge)
}

// badName tries names that no user may give.
func badName(ctx context.Context, t Target) error {
	return honest(ctx, t, func(c *client.Conn) error {
		for _, name := range []string{"", "$system", "work.dlq", "a b", "ä", "a/b", string(bytes.Repeat([]byte{'n'}, 197))} {
			if err := c.CreateQueue(ctx, name, client.QueueSettings{}); !errors.Is(err, client.ErrInvalid) {
				return fmt.Errorf("queue %q: want %q, got %w", name, client.ErrInvalid, err)
			}
		}
		return nil
	})
}
