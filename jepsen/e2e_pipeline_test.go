//go:build linux

package jepsen

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/jepsen/history"
)

// pipelineUnderKills: workers ack a message and publish its result in one
// step. Leaders die in the middle of such steps, one worker sleeps over leases
// and commits all the same, commits of another come when their message has
// been handed out again, and where the results go is full again and again, so
// that whole steps are refused: in the end there is one result of each message,
// and nothing else.
func pipelineUnderKills(s *scene) {
	const from, late, to = "pipeline-from", "pipeline-late", "pipeline-to"
	for _, queue := range []string{from, late} {
		s.createQueue(queue, client.QueueSettings{
			Lease: time.Second, FailureLimit: client.FailureLimitUnlimited,
			Retry: client.RetryPolicy{Kind: client.RetryImmediate},
		})
	}
	s.createQueue(to, client.QueueSettings{MaxMessages: outletMax})
	s.begins()

	var committed, again, refused atomic.Int64
	out := newOutlet()
	told := client.WithAnswerFunc(func(a client.Answer) {
		if a.Op == "commit" && a.Sends > 1 {
			again.Add(1)
		}
		out.answered(&a)
	})
	s.consume(s.connect(1), to, out.handle, client.WithPrefetch(outletMax))
	pass := func(c *client.Conn, d *client.Delivery) error {
		tx := c.NewTx()
		tx.Ack(d)
		tx.Publish(to, client.Message{Body: d.Body})
		_, err := tx.Commit(s.ctx)
		switch {
		case err == nil:
			committed.Add(1)
		case errors.Is(err, client.ErrLeaseLost):
			refused.Add(1)
		default:
			s.t.Errorf("commit of %s: %v", d.Body, err)
		}
		return err
	}
	for i := range 2 {
		c := s.connect(i, told)
		s.consume(c, from, func(_ context.Context, d *client.Delivery) error { return pass(c, d) },
			client.WithConcurrency(4), client.WithPrefetch(8))
	}
	sleeper := s.connect(2, told)
	s.consume(sleeper, from, func(ctx context.Context, d *client.Delivery) error {
		<-ctx.Done() // its lease is lost, or the scene is over
		return pass(sleeper, d)
	}, client.WithPrefetch(1), client.WithAutoExtend(false))
	latecomer := s.latecomer(late, pass, told)

	sent := newLedger()
	enough := func() bool {
		return again.Load() > 0 && refused.Load() > 0 && latecomer.stale.Load() > 0 && out.stalls.Load() > 0
	}
	var producing sync.WaitGroup
	for p := range 2 {
		producer := s.connect(p + 1)
		producing.Go(func() {
			// So often that commits are under way whenever a leader dies.
			for i := range s.work(200, enough) {
				text := fmt.Sprintf("%d-%d", p, i)
				_, err := producer.Publish(s.ctx, from, client.Message{Body: []byte(text)})
				sent.note(text, err)
			}
		})
	}
	lateProducer := s.connect(0)
	producing.Go(func() { latecomer.produce(lateProducer, sent, enough) })
	producing.Wait()
	close(out.over)
	s.awaitEmpty(from)
	s.awaitEmpty(late)
	s.awaitEmpty(to)
	s.stopConsumers()

	all := len(sent.sent)
	require.EqualValues(s.t, all, committed.Load(), "commits that were told to have been done")
	require.Equal(s.t, all, sent.count(history.OK), "confirmed")
	there := s.look(from, from+".dlq", late, late+".dlq", to, to+".dlq")
	require.Empty(s.t, few(sent.misplaced(out.texts())))
	require.Empty(s.t, there[to])
	require.Empty(s.t, there[from])
	require.Empty(s.t, there[from+".dlq"])
	require.Empty(s.t, there[late])
	require.Empty(s.t, there[late+".dlq"])
	require.Empty(s.t, there[to+".dlq"])
	target := s.queue(to)
	require.EqualValues(s.t, all, s.queue(from).Acked+s.queue(late).Acked)
	require.EqualValues(s.t, all, target.Published)
	require.EqualValues(s.t, all, target.Acked)
	s.finished("%d messages, each passed on once; %d commits asked about again, %d refused to who had lost the lease, "+
		"%d of them because of a stale token alone, %d refused as the target was full",
		all, again.Load(), refused.Load(), latecomer.stale.Load(), out.refused.Load())
}
