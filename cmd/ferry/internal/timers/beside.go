package timers

import (
	"context"
	"encoding/binary"
	"sync"
	"time"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/cmd/ferry/internal/latency"
)

// pace is how long the producer sleeps at least; then it sends all that is due.
const pace = time.Millisecond

// beside is the steady load: a producer and a consumer. The producer keeps to a
// timetable, and the latencies count from there: what a stall holds up is sent
// as soon as it can be, and is late. A rate limiter would forget it.
type beside struct {
	*tally
	begin    time.Time
	total    int
	interval time.Duration

	mu      sync.Mutex
	last    time.Time   // when the last ack was confirmed
	confirm latency.Set // until the publish was confirmed
	through latency.Set // until the ack was
}

func newBeside(o Options, begin time.Time) *beside {
	b := &beside{begin: begin, last: begin, confirm: latency.New(), through: latency.New()}
	if o.Rate > 0 {
		b.interval = time.Second / time.Duration(o.Rate)
		b.total = int(o.Window / b.interval)
	}
	b.tally = newTally(b.total)
	return b
}

// due is when a message is to be sent.
func (b *beside) due(number uint64) time.Time {
	return b.begin.Add(time.Duration(number) * b.interval)
}

// produce publishes by the timetable.
func (b *beside) produce(ctx context.Context, c *client.Conn) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for i := range uint64(b.total) {
		if wait := time.Until(b.due(i)); wait > 0 {
			timer.Reset(max(wait, pace))
			select {
			case <-timer.C:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		body := make([]byte, bodyBytes)
		binary.BigEndian.PutUint64(body, i)
		err := c.PublishAsync(ctx, besideQueue, client.Message{Body: body}, func(_ client.Receipt, err error) {
			if err != nil {
				b.fail(err)
				return
			}
			b.note(b.confirm, i, time.Now())
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// consume acks everything until ctx ends.
func (b *beside) consume(ctx context.Context, c *client.Conn) error {
	return consume(ctx, c, besideQueue, b.tally, func(*client.Delivery, time.Time) {},
		func(number uint64, now time.Time) { b.note(b.through, number, now) })
}

func (b *beside) note(set latency.Set, number uint64, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	set.Add(now.Sub(b.due(number)))
	b.last = now
}

// measured is what was noted so far, and how long after the end of the
// timetable the last of it was. Answers may still come if not all did in time.
func (b *beside) measured() (confirm, through latency.Set, behind time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	confirm, through = latency.New(), latency.New()
	confirm.Merge(b.confirm)
	through.Merge(b.through)
	return confirm, through, max(0, b.last.Sub(b.due(uint64(b.total))))
}
