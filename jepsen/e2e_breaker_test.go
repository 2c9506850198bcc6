//go:build linux

package jepsen

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"

	"github.com/ferrymq/ferrymq/client"
)

const (
	breakerQueue = "breaker"
	// breakerTrips is how many failures downstream in a row open a breaker.
	breakerTrips = 5
	// breakerHolds is how many messages the consumer holds at once: more than a
	// round of probes, so that nothing but the breaker bounds those.
	breakerHolds = 16
	breakerFirst = 30 // messages before it opens
	breakerMore  = 5  // and while it is open
)

var (
	errProvider = errors.New("the provider is down")
	errOwn      = errors.New("this one is bad")
)

// breakerUnderKills: what a consumer needs is broken. The breaker opens; nothing
// is handed out and no failure counts, also under the next leader; then it
// tries one message, two and four, and closes when they succeed.
func breakerUnderKills(s *scene) {
	// A failure that counts would be a dead letter at once.
	s.createQueue(breakerQueue, client.QueueSettings{
		Breaker: true, FailureLimit: 1, Retry: client.RetryPolicy{Kind: client.RetryImmediate},
	})
	s.begins()
	s.pulse()
	b := &broken{scene: s, calls: make(chan call, breakerHolds), sent: newLedger()}
	s.consume(s.connect(0), breakerQueue, b.handle,
		client.WithConcurrency(breakerHolds), client.WithPrefetch(breakerHolds))
	cycles := 0
	for range s.work(10, func() bool { return cycles > 0 }) {
		cycles++
		b.trip()
		b.stayOpen()
		b.mend()
	}
	q := s.queue(breakerQueue)
	require.EqualValues(s.t, len(b.sent.sent), q.Acked)
	require.Zero(s.t, q.Dead, "failures that counted while the breaker was open")
	require.Empty(s.t, few(b.sent.misplaced(b.good)), "worked on")
	s.finished("%d times the breaker opened, %d times it tried in vain, %d messages all done in the end",
		cycles, b.vain, len(b.good))
}

// pulse has somebody write now and then until the scene is over. Of a group in
// which nothing happens the clock of leases and breakers is written every 10 s,
// and a new leader goes on from there: where leaders die more often than that,
// it would stand still.
func (s *scene) pulse() {
	const queue = "breaker-pulse"
	s.createQueue(queue, client.QueueSettings{MaxMessages: 1, Overflow: client.OverflowDropNew})
	c := s.connect(1)
	ctx, cancel := context.WithCancel(s.ctx)
	over := make(chan struct{})
	go func() {
		defer close(over)
		pace := rate.NewLimiter(10, 1)
		for pace.Wait(ctx) == nil {
			if _, err := c.Publish(ctx, queue, client.Message{}); err != nil && ctx.Err() == nil {
				s.t.Errorf("pulse: %v", err)
				return
			}
		}
	}()
	s.t.Cleanup(func() { cancel(); <-over })
}

// broken is a service that fails or succeeds as it is told, one call after the other.
type broken struct {
	*scene
	calls chan call
	sent  *ledger
	good  []string // what it succeeded with
	vain  int      // openings that ended before another node led
}

// call is a message that a handler works on until it is told how that ends.
type call struct {
	text string
	end  chan<- error
}

func (b *broken) handle(ctx context.Context, d *client.Delivery) error {
	end := make(chan error, 1)
	b.calls <- call{string(d.Body), end} // has room for all handlers
	select {
	case err := <-end:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (b *broken) publish(n int) {
	b.t.Helper()
	var ms []client.Message
	for i := range n {
		ms = append(ms, client.Message{Body: fmt.Append(nil, len(b.sent.sent)+i)})
	}
	results, err := b.admin.PublishBatch(b.ctx, breakerQueue, ms)
	require.NoError(b.t, err)
	for i, r := range results {
		require.NoError(b.t, r.Err)
		b.sent.note(string(ms[i].Body), nil)
	}
}

// next waits for a call.
func (b *broken) next() call {
	b.t.Helper()
	select {
	case c := <-b.calls:
		return c
	case <-b.ctx.Done():
		require.NoError(b.t, b.ctx.Err(), "waiting for a call")
	}
	return call{}
}

func (b *broken) succeed(c call) {
	b.good = append(b.good, c.text)
	c.end <- nil
}

func (b *broken) state() client.BreakerState { return b.queue(breakerQueue).Breaker.State }

// trip fails until the breaker opens. What runs on then fails, too, for the
// messages' own sake, as its consumer says.
func (b *broken) trip() {
	b.t.Helper()
	b.publish(breakerFirst)
	for range breakerTrips {
		b.next().end <- client.Downstream(errProvider)
	}
	b.await(func() bool { return b.state() == client.BreakerOpen }, "the breaker to open")
	b.await(func() bool {
		for {
			select {
			case c := <-b.calls:
				c.end <- errOwn
				continue
			default:
			}
			return b.queue(breakerQueue).Leased == 0
		}
	}, "the end of what runs")
	b.publish(breakerMore)
}

// stayOpen watches the open breaker until another node has led it. Where it
// begins to try before that, it tries in vain.
func (b *broken) stayOpen() {
	b.t.Helper()
	before := b.failovers()
	b.await(func() bool {
		calls, since := len(b.calls), b.failovers()
		if b.watch(calls) {
			return since > before
		}
		c := b.next()
		b.vain++
		c.end <- client.Downstream(errProvider)
		b.await(func() bool { return b.state() == client.BreakerOpen }, "the breaker to open again")
		before = b.failovers()
		return false
	}, "an open breaker to outlast its leader")
}

// watch looks at what has to hold while the breaker is open, and is false when
// it is not, at one end of the look or the other. Calls are those that had
// been made before.
func (b *broken) watch(calls int) (open bool) {
	b.t.Helper()
	first := b.queue(breakerQueue)
	why := b.why()
	var there []client.BrowsedMessage
	for m, err := range b.admin.Browse(b.ctx, breakerQueue, client.Filter{}) {
		require.NoError(b.t, err)
		there = append(there, m)
	}
	if b.state() != client.BreakerOpen || first.Breaker.State != client.BreakerOpen {
		return false
	}
	require.Zero(b.t, calls, "handed out while the breaker was open")
	require.Equal(b.t, len(b.sent.sent)-len(b.good), len(there), "messages that are there")
	for _, m := range there {
		require.Equal(b.t, client.Ready, m.State, "%s is %s", m.ID, m.State)
		require.Zero(b.t, m.Failures, "%s failed while the breaker was open", m.ID)
	}
	require.Contains(b.t, why, "breaker_open", "why nothing is handed out")
	return true
}

// why are the causes for which nothing is handed out, as the leader tells them.
func (b *broken) why() (kinds []string) {
	b.t.Helper()
	b.await(func() bool {
		kinds = nil
		e, err := b.admin.Explain(b.ctx, breakerQueue)
		require.NoError(b.t, err)
		for _, r := range e.Reasons {
			kinds = append(kinds, r.Kind)
		}
		return !slices.Contains(kinds, "no_leader")
	}, "an explanation by a leader")
	return kinds
}

// mend has everything succeed from now on: the probes, round by round, and the
// rest when the breaker is closed.
func (b *broken) mend() {
	b.t.Helper()
	for _, round := range [...]int{1, 2, 4} {
		var probes []call
		for range round {
			probes = append(probes, b.next())
		}
		q := b.queue(breakerQueue)
		require.Equal(b.t, client.BreakerHalfOpen, q.Breaker.State)
		require.EqualValues(b.t, round, q.Leased, "probes at a time")
		require.Empty(b.t, b.calls, "beyond the probes")
		for _, c := range probes {
			b.succeed(c)
		}
	}
	b.await(func() bool {
		for {
			select {
			case c := <-b.calls:
				b.succeed(c)
				continue
			case <-time.After(time.Millisecond):
			}
			return left(b.queue(breakerQueue)) == 0
		}
	}, "the rest")
	require.Equal(b.t, client.BreakerClosed, b.state())
}
