package jepsen

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ferrymq/ferrymq/client"
)

// held is a delivery that waits for its ack.
type heldDelivery struct {
	d     *client.Delivery
	key   Key
	since time.Time
}

// consume takes messages until its context ends, and acks each after its hold
// time. The loop's own context never ends before every ack is answered.
func (t *Traffic) consume(ctx context.Context, consumer uint32, c *client.Conn) {
	defer t.close(c)
	waiting := make(chan heldDelivery, 2*prefetch)
	var acking sync.WaitGroup
	acking.Go(func() { t.ackHeld(waiting) })
	defer acking.Wait()
	defer close(waiting)
	options := []client.ConsumeOption{client.WithPrefetch(prefetch), client.WithConcurrency(prefetch)}
	for d, err := range c.Messages(ctx, t.w.Queue, options...) {
		switch {
		case err != nil && ctx.Err() != nil:
			return
		case err != nil:
			t.fail(fmt.Errorf("consumer %d: %w", consumer, err))
			return
		}
		k, err := ParseKey(d.Body)
		if err != nil {
			t.fail(fmt.Errorf("consumer %d: message %s: %w", consumer, d.ID, err))
			continue
		}
		t.history.Delivered(k, Seen{
			Consumer: consumer, Attempt: d.Attempt, Token: d.Token,
			Redelivered: d.Redelivered, ID: d.ID.String(),
		})
		waiting <- heldDelivery{d, k, time.Now()}
	}
}

// ackHeld acks what it is given, in order, each after its hold time, and waits
// for the answers.
func (t *Traffic) ackHeld(waiting <-chan heldDelivery) {
	var answers sync.WaitGroup
	defer answers.Wait()
	for h := range waiting {
		if rest := t.w.Hold - time.Since(h.since); rest > 0 {
			<-time.After(rest)
		}
		t.history.Acking(h.key, h.d.Token)
		if t.w.NackEvery > 0 && h.key.Seq%t.w.NackEvery == 0 && !h.d.Redelivered {
			t.nack(h)
			continue
		}
		answers.Add(1)
		h.d.AckAsync(func(err error) {
			defer answers.Done()
			t.history.Acked(h.key, h.d.Token, OutcomeOf(err))
			if err != nil && !errors.Is(err, client.ErrLeaseLost) && !errors.Is(err, client.ErrUnknownOutcome) {
				t.fail(fmt.Errorf("ack of %s: %w", h.key, err))
			}
		})
	}
}

// nackTimeout bounds the wait for the answer to a nack.
const nackTimeout = 30 * time.Second

// nack hands a message back, so that a run has redeliveries to judge.
func (t *Traffic) nack(h heldDelivery) {
	ctx, cancel := context.WithTimeout(context.Background(), nackTimeout)
	defer cancel()
	err := h.d.Nack(ctx, client.WithReason(client.ReasonShutdown))
	t.history.Acked(h.key, h.d.Token, Failed)
	if err != nil && !errors.Is(err, client.ErrLeaseLost) && !errors.Is(err, client.ErrUnknownOutcome) {
		t.fail(fmt.Errorf("nack of %s: %w", h.key, err))
	}
}
