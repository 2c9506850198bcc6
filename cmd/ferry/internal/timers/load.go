package timers

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/ferrymq/ferrymq/client"
)

// load publishes all timers and returns when their window begins: some time
// after the last of them is confirmed.
func (r *run) load(ctx context.Context) (begin time.Time, err error) {
	lead := loadLeast + time.Duration(r.o.N)*time.Second/loadPerSecond
	for range loadTries {
		if err := r.control.CreateQueue(ctx, timersQueue, client.QueueSettings{}); err != nil {
			return begin, err
		}
		since := time.Now()
		begin = since.Add(lead).Truncate(time.Millisecond) // as exact as a time of delivery is
		if err := r.publishTimers(ctx, begin); err != nil {
			return begin, err
		}
		r.loading = time.Since(since)
		r.o.Say("%d timers published in %.1f s", r.o.N, r.loading.Seconds())
		if r.loading < lead-loadSpare {
			return begin, nil
		}
		r.o.Say("the first are due already, or soon: once more, with more time")
		if err := r.control.DeleteQueue(ctx, timersQueue); err != nil {
			return begin, err
		}
		lead *= loadMore
	}
	return begin, fmt.Errorf("%d timers could not be published within %s", r.o.N, lead/loadMore)
}

// publishTimers shares the timers between some publishers. Their first error
// ends all.
func (r *run) publishTimers(ctx context.Context, begin time.Time) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	ranges := make(chan [2]int)
	var wg sync.WaitGroup
	for range loaders {
		wg.Go(func() {
			for next := range ranges {
				if err := r.publishRange(ctx, begin, next[0], next[1]); err != nil {
					cancel(err)
				}
			}
		})
	}
	for from := 0; from < r.o.N && ctx.Err() == nil; from += batch {
		ranges <- [2]int{from, min(from+batch, r.o.N)}
	}
	close(ranges)
	wg.Wait()
	return context.Cause(ctx)
}

func (r *run) publishRange(ctx context.Context, begin time.Time, from, to int) error {
	messages := make([]client.Message, 0, to-from)
	for i := from; i < to; i++ {
		body := make([]byte, bodyBytes)
		binary.BigEndian.PutUint64(body, uint64(i))
		after := time.Duration(rand.Int64N(r.o.Window.Milliseconds())) * time.Millisecond
		messages = append(messages, client.Message{Body: body, DeliverAt: begin.Add(after)})
	}
	results, err := r.control.PublishBatch(ctx, timersQueue, messages)
	if err != nil {
		return err
	}
	for _, result := range results {
		if result.Err != nil {
			return fmt.Errorf("publish a timer: %w", result.Err)
		}
	}
	return nil
}
