//go:build linux

package jepsen

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ferrymq/ferrymq/client"
)

const (
	orderGroups = 6
	// orderRetry is long enough that there are always some who wait for it when
	// a leader dies.
	orderRetry = 300 * time.Millisecond
)

// groupOrderUnderKills: messages of several groups, of which many fail once or
// twice, with competing consumers. Within each group one is worked on at a time,
// and they succeed in their order, whoever leads.
func groupOrderUnderKills(s *scene) {
	const queue = "group-order"
	s.createQueue(queue, client.QueueSettings{
		FailureLimit: client.FailureLimitUnlimited,
		Retry:        client.RetryPolicy{Kind: client.RetryFixed, Base: orderRetry},
	})
	s.begins()
	o := &order{failedAt: map[string]int{}}
	for i := range 3 {
		s.consume(s.connect(i), queue, func(ctx context.Context, d *client.Delivery) error { return o.work(ctx, s, d) },
			client.WithConcurrency(4), client.WithPrefetch(4))
	}
	published := make([]int, orderGroups)
	var producing sync.WaitGroup
	for p := range 2 {
		producer := s.connect(p)
		producing.Go(func() {
			for i := range s.work(40, func() bool { return o.crossings() > 0 }) {
				group := p + 2*(i%(orderGroups/2))
				published[group]++
				_, err := producer.Publish(s.ctx, queue, client.Message{
					GroupKey: fmt.Sprint(group), Body: fmt.Appendf(nil, "%d/%d", group, published[group]),
				})
				if err != nil {
					s.t.Errorf("publish: %v", err)
					return
				}
			}
		})
	}
	producing.Wait()
	s.awaitEmpty(queue)
	s.stopConsumers()
	require.Empty(s.t, few(o.wrong(published)))
	require.Zero(s.t, s.queue(queue).Dead)
	s.finished("%d groups of %v messages in order, %d attempts; %d failed before a leader died and succeeded after it",
		orderGroups, published, o.attempts(), o.crossings())
}

// turn is one attempt at a message: from when its handler began until just
// before it was settled, on this process's clock.
type turn struct {
	group, seq int
	from, to   time.Duration
	done       bool // it succeeded
}

// order is what happened to groups.
type order struct {
	mu       sync.Mutex
	began    time.Time
	turns    []turn
	failedAt map[string]int // leaders that had died, by message
	crossed  int            // messages that failed before a leader died, and were worked on with success after it
}

func (o *order) crossings() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.crossed
}

func (o *order) attempts() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.turns)
}

func (o *order) now() time.Duration {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.began.IsZero() {
		o.began = time.Now()
	}
	return time.Since(o.began)
}

// work fails every third message once, and every sixth twice.
func (o *order) work(ctx context.Context, s *scene, d *client.Delivery) error {
	t, deaths := turn{from: o.now()}, s.deaths()
	if _, err := fmt.Sscanf(string(d.Body), "%d/%d", &t.group, &t.seq); err != nil || fmt.Sprint(t.group) != d.GroupKey {
		s.t.Errorf("a message of nobody: %q of group %s", d.Body, d.GroupKey)
		return err
	}
	select {
	case <-ctx.Done():
	case <-time.After(2 * time.Millisecond): // work
	}
	fails := t.seq%3 == 0 && d.Failures == 0 || t.seq%6 == 0 && d.Failures == 1
	t.to, t.done = o.now(), !fails
	var err error
	if fails {
		err = d.Nack(s.ctx, client.WithError("not now"))
	} else {
		err = d.Ack(s.ctx)
	}
	if err != nil {
		s.t.Errorf("settle %s: %v", d.Body, err)
	}
	o.note(t, string(d.Body), deaths)
	return nil
}

func (o *order) note(t turn, text string, deaths int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.turns = append(o.turns, t)
	if !t.done {
		o.failedAt[text] = deaths
	} else if at, failed := o.failedAt[text]; failed && at < deaths {
		o.crossed++
	}
}

// wrong says what is, if so many messages of each group were published.
func (o *order) wrong(published []int) (wrong []string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	slices.SortFunc(o.turns, func(a, b turn) int { return int(a.from - b.from) })
	next := make([]int, len(published))
	last := make([]turn, len(published))
	for _, t := range o.turns {
		if before := last[t.group]; t.from < before.to {
			wrong = append(wrong, fmt.Sprintf("group %d: %d overlaps %d", t.group, t.seq, before.seq))
		}
		last[t.group] = t
		if t.seq != next[t.group]+1 {
			wrong = append(wrong, fmt.Sprintf("group %d: %d after %d", t.group, t.seq, next[t.group]))
		}
		if t.done {
			next[t.group]++
		}
	}
	for group, n := range published {
		if next[group] != n {
			wrong = append(wrong, fmt.Sprintf("group %d: %d of %d succeeded", group, next[group], n))
		}
	}
	return wrong
}

func TestOrderFindsOverlapsAndJumps(t *testing.T) {
	good := []turn{{0, 1, 1, 2, false}, {1, 1, 1, 5, true}, {0, 1, 3, 4, true}, {0, 2, 5, 6, true}}
	check := func(published []int, turns ...turn) []string {
		o := &order{turns: turns}
		return o.wrong(published)
	}
	require.Empty(t, check([]int{2, 1}, good...))
	for fault, turns := range map[string][]turn{
		"group 1: 1 overlaps 1":     {good[0], good[1], good[2], good[3], {1, 1, 4, 5, false}},
		"group 0: 2 after 0":        {{0, 2, 1, 2, true}, {0, 1, 3, 4, true}, good[1]},
		"group 0: 1 after 1":        {good[2], {0, 1, 5, 6, true}, good[1]},
		"group 1: 0 of 1 succeeded": {good[0], good[2], good[3]},
	} {
		require.Contains(t, check([]int{2, 1}, turns...), fault)
	}
}
