//go:build linux

package jepsen

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/stretchr/testify/require"

	"github.com/ferrymq/ferrymq/client"
)

const (
	lagQueue = "at-most-once-lag"
	// lagTaken is how many messages a laggard takes before it lags: some times
	// its credit, so that it has to be given back.
	lagTaken = 3 * onceCredit
	// lagBatch is how many are published while it takes none: many times its
	// credit, so that what it has too many shows.
	lagBatch = 20 * onceCredit
)

// laggard is a consumer without acks that takes nothing for a while, again and
// again, beside one with acks that takes all it can get. While it takes nothing
// it is assigned no more than its credit, and the rest goes to the other. An
// attachment is the exception: it counts as taken what was assigned before.
type laggard struct {
	*scene
	conn       *client.Conn
	took, more chan struct{} // it took a message; it is to take another one
	idle       bool          // it takes nothing before it is told
	came       *arrivals
	attached   attachments
	cut        atomic.Int64 // links lost

	mu     sync.Mutex
	others map[client.MessageID]bool // what the other got

	sent            int
	steady, crossed int // times that it lagged, without and with an attachment meanwhile
}

// lag has the scene's own goroutine go on until enough was seen.
func (s *scene) lag() {
	l := &laggard{scene: s, took: make(chan struct{}), more: make(chan struct{}),
		came: &arrivals{times: map[client.MessageID]int{}}, others: map[client.MessageID]bool{}}
	s.createQueue(lagQueue, client.QueueSettings{})
	l.conn = s.connect(0, client.WithLogger(slog.New(&l.attached)), client.WithStateFunc(func(state client.State, _ error) {
		if state == client.Reconnecting {
			l.cut.Add(1)
		}
	}))
	s.consume(s.connect(1), lagQueue, func(_ context.Context, d *client.Delivery) error {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.others[d.ID] = true
		return nil
	})
	ctx, cancel := context.WithCancel(s.ctx)
	var taking sync.WaitGroup
	defer taking.Wait()
	defer cancel()
	before := l.upsets()
	taking.Go(func() { l.take(ctx) })
	for range s.work(20, func() bool { return l.steady > 0 && l.crossed > 0 }) {
		l.catchUp()
		l.waitAndSee()
	}
	require.NotZero(s.t, l.attached.n.Load(), "attachments that its log tells")
	share := l.share()
	require.EqualValues(s.t, l.sent, s.queue(lagQueue).Acked, "assigned, or acked by the other")
	require.Empty(s.t, few(l.came.wrong(share, lagMax(l.upsets()-before))))
	s.t.Logf("a laggard took %d of %d messages, and what it had no credit for went to another; %d of %d times nothing upset it",
		len(l.came.times), l.sent, l.steady, l.steady+l.crossed)
}

// take takes one message when it is told to, and tells so.
func (l *laggard) take(ctx context.Context) {
	for d, err := range l.conn.Messages(ctx, lagQueue, client.WithoutAcks(), client.WithPrefetch(onceCredit)) {
		if err != nil {
			if ctx.Err() == nil {
				l.t.Errorf("take: %v", err)
			}
			return
		}
		l.came.take(d)
		select {
		case l.took <- struct{}{}:
		case <-ctx.Done():
			return
		}
		select {
		case <-l.more:
		case <-ctx.Done():
			return
		}
	}
}

// catchUp has it take some messages, and none after them.
func (l *laggard) catchUp() {
	l.t.Helper()
	for range lagTaken {
		if l.idle {
			select {
			case l.more <- struct{}{}:
			case <-l.ctx.Done():
				require.NoError(l.t, l.ctx.Err())
			}
		}
		for l.idle = false; !l.idle; {
			select {
			case <-l.took:
				l.idle = true
			default:
				l.publish(l.admin, onceCredit)
			}
		}
	}
}

// waitAndSee has it take nothing, and sees where all goes that is published.
func (l *laggard) waitAndSee() {
	l.t.Helper()
	l.publish(l.conn, 1)
	upsets, share := l.upsets(), l.share()
	l.publish(l.admin, lagBatch)
	share = l.share() - share
	l.publish(l.conn, 1) // through its session: whatever attached it before that was answered
	if upsets = l.upsets() - upsets; upsets == 0 {
		l.steady++
	} else {
		l.crossed++
	}
	require.LessOrEqual(l.t, share, lagMax(upsets), "assigned to who takes nothing, after %d upsets", upsets)
}

// lagMax is how many messages may be assigned to a laggard. Each upset may have
// attached it twice, as the answer may have been lost.
func lagMax(upsets int) int { return onceCredit * (1 + 2*upsets) }

// upsets counts what may have attached it, or ended its attachment.
func (l *laggard) upsets() int {
	l.t.Helper()
	return int(l.attached.n.Load()) + int(l.cut.Load()) + int(l.term())
}

// share is how many messages were assigned to it, of all until now: as soon as
// none is left, those that the other did not get.
func (l *laggard) share() int {
	l.t.Helper()
	var q client.QueueInfo
	l.await(func() bool { q = l.queue(lagQueue); return left(q) == 0 }, lagQueue+" to be empty")
	l.mu.Lock()
	defer l.mu.Unlock()
	return int(q.Acked) - len(l.others)
}

func (l *laggard) publish(c *client.Conn, n int) {
	l.t.Helper()
	results, err := c.PublishBatch(l.ctx, lagQueue, make([]client.Message, n))
	require.NoError(l.t, err)
	for _, r := range results {
		require.NoError(l.t, r.Err)
	}
	l.sent += n
}

// attachments counts those of a client, by its log.
type attachments struct{ n atomic.Int64 }

func (a *attachments) Enabled(context.Context, slog.Level) bool { return true }

func (a *attachments) Handle(_ context.Context, r slog.Record) error {
	if strings.HasPrefix(r.Message, "session attached") {
		a.n.Add(1)
	}
	return nil
}

func (a *attachments) WithAttrs([]slog.Attr) slog.Handler { return a }
func (a *attachments) WithGroup(string) slog.Handler      { return a }
