package jepsen

import (
	"context"
	"fmt"
	"time"

	"github.com/ferrymq/ferrymq/client"
)

// Moment is what must be under way when a fault falls, so that it can hurt.
type Moment struct {
	Unconfirmed int // publishes
	Held        int // leased messages
}

// momentPoll is how often the history is asked whether the moment has come. A
// moment is checked and used within microseconds.
const momentPoll = time.Millisecond

// Await waits until at least as much as the moment asks for is under way, and
// tells how much was.
func (h *History) Await(ctx context.Context, m Moment) (Counts, error) {
	tick := time.NewTicker(momentPoll)
	defer tick.Stop()
	for {
		c := h.Counts()
		if c.Unconfirmed >= m.Unconfirmed && c.Held >= m.Held {
			return c, nil
		}
		select {
		case <-ctx.Done():
			return c, fmt.Errorf("the moment %+v did not come: %+v: %w", m, c, ctx.Err())
		case <-tick.C:
		}
	}
}

// AwaitConfirmed waits until n publishes are confirmed.
func (h *History) AwaitConfirmed(ctx context.Context, n int) error {
	return h.poll(ctx, func() bool { return h.Counts().Confirmed >= n }, fmt.Sprintf("%d confirms", n))
}

// AwaitMarked waits until a publish that began after Mark is confirmed.
func (h *History) AwaitMarked(ctx context.Context) error {
	return h.poll(ctx, h.isMarked, "a confirm of a publish after the mark")
}

func (h *History) poll(ctx context.Context, met func() bool, what string) error {
	tick := time.NewTicker(momentPoll)
	defer tick.Stop()
	for !met() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s, with %+v: %w", what, h.Counts(), ctx.Err())
		case <-tick.C:
		}
	}
	return nil
}

// drainPoll is how often a queue is looked at while it empties.
const drainPoll = 50 * time.Millisecond

// Drained waits until nothing is left in the queue and the history knows an
// answer to every ack, and returns the queue as it is then.
func (h *History) Drained(ctx context.Context, conn *client.Conn, queue string) (client.QueueInfo, error) {
	tick := time.NewTicker(drainPoll)
	defer tick.Stop()
	for {
		info, err := conn.Queue(ctx, queue)
		if err == nil && info.Ready+info.Leased+info.Parked == 0 && h.Counts().Held == 0 {
			return info, nil
		}
		select {
		case <-ctx.Done():
			return info, fmt.Errorf("the queue is not empty: ready %d, leased %d, parked %d, %+v: %w",
				info.Ready, info.Leased, info.Parked, h.Counts(), ctx.Err())
		case <-tick.C:
		}
	}
}

// Conserved checks that a queue's own counts add up, and that they are those of
// the account: what it took is what was confirmed, and what was unknown to its
// producer and turned up.
func (a *Account) Conserved(q client.QueueInfo) error {
	if sum := q.Ready + q.Leased + q.Parked + q.Acked + q.Dead + q.Purged; sum != q.Published {
		return fmt.Errorf("%w: %s took %d messages and accounts for %d", ErrInvalid, q.Name, q.Published, sum)
	}
	if took := a.Confirmed + a.Recovered; q.Published != uint64(took) {
		return fmt.Errorf("%w: %s took %d messages, its clients know of %d", ErrInvalid, q.Name, q.Published, took)
	}
	return nil
}
