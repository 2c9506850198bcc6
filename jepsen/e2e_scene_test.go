//go:build linux

package jepsen

import (
	"context"
	"iter"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"

	"github.com/ferrymq/ferrymq/client"
)

// scene is one of the tests under kills: its own view of the stage that all of
// them share.
type scene struct {
	*stage
	killer    *killer
	killed    int // leaders that had been killed when the work began
	consumers []*client.Consumer
}

func newScene(t *testing.T, ctx context.Context, s *stage, k *killer) *scene {
	own := *s
	own.t = t
	var cancel context.CancelFunc
	own.ctx, cancel = context.WithCancel(ctx)
	t.Cleanup(cancel)
	own.admin = own.dial(s.cluster.URL(0))
	return &scene{stage: &own, killer: k}
}

// connect makes the i-th client of a scene. They begin at different nodes, and
// every second one does not follow the leader: what it does is forwarded.
func (s *scene) connect(i int, opts ...client.Option) *client.Conn {
	s.t.Helper()
	return s.dial(s.cluster.URL(i), append([]client.Option{client.WithFollowLeader(i%2 == 0)}, opts...)...)
}

// consume has a handler run on a queue until stopConsumers, or the end of the
// scene.
func (s *scene) consume(c *client.Conn, queue string, h client.Handler, opts ...client.ConsumeOption) *client.Consumer {
	s.t.Helper()
	k, err := c.Consume(s.ctx, queue, h, opts...)
	require.NoError(s.t, err)
	s.endWith(c, k)
	return k
}

// endWith has the scene wait for a consumer's handlers when it is over.
func (s *scene) endWith(c *client.Conn, k *client.Consumer) {
	s.consumers = append(s.consumers, k)
	s.t.Cleanup(func() {
		if err := c.Close(); err != nil {
			s.t.Logf("close: %v", err)
		}
		<-k.Done()
	})
}

// stopConsumers ends them in order: every handler has returned, and was told
// what became of its settles.
func (s *scene) stopConsumers() {
	s.t.Helper()
	for _, k := range s.consumers {
		require.NoError(s.t, k.Stop(s.ctx))
	}
}

func (s *scene) createQueue(name string, settings client.QueueSettings) {
	s.t.Helper()
	require.NoError(s.t, s.admin.CreateQueue(s.ctx, name, settings))
}

// queue is what the cluster says of one.
func (s *scene) queue(name string) client.QueueInfo {
	s.t.Helper()
	q, err := s.admin.Queue(s.ctx, name)
	require.NoError(s.t, err)
	return q
}

// left is how many messages a queue holds, in whatever state.
func left(q client.QueueInfo) uint64 { return q.Ready + q.Leased + q.Scheduled + q.Retrying + q.Parked }

// awaitEmpty waits until a queue holds no message.
func (s *scene) awaitEmpty(name string) {
	s.t.Helper()
	s.await(func() bool { return left(s.queue(name)) == 0 }, name+" to be empty")
}

// begins says that from now on kills count: work is under way.
func (s *scene) begins() { s.killed = s.killer.toll().kills }

// failovers is how many leaders were killed since, and succeeded by another.
func (s *scene) failovers() int { return max(0, s.killer.toll().failovers-s.killed) }

// deaths is how many leaders have died, in all.
func (s *scene) deaths() int { return s.killer.toll().deaths }

// work counts at a rate of so many a second, until enough leaders have died
// and the scene has seen enough besides.
func (s *scene) work(perSecond float64, enough func() bool) iter.Seq[int] {
	return func(yield func(int) bool) {
		pace := rate.NewLimiter(rate.Limit(perSecond), 1)
		for i := 0; s.failovers() < killsWanted || !enough(); i++ {
			if err := pace.Wait(s.ctx); err != nil {
				s.t.Errorf("after %d failovers and %d steps there was not enough to see: %v", s.failovers(), i, err)
				return
			}
			if s.t.Failed() || !yield(i) {
				return
			}
		}
	}
}

// finished says what a scene has been through.
func (s *scene) finished(what string, args ...any) {
	s.t.Helper()
	require.GreaterOrEqual(s.t, s.failovers(), killsWanted, "leaders that died meanwhile")
	s.t.Logf("%d failovers: "+what, append([]any{s.failovers()}, args...)...)
}

// look browses queues until two looks in a row are the same: all queues were
// seen at one moment.
func (s *scene) look(queues ...string) map[string][]client.BrowsedMessage {
	s.t.Helper()
	return s.lookAnd(func() {}, queues...)
}

// lookAnd is a look with something else that is read between those two, and so
// belongs to the same moment. What an operation does whose client is gone may
// come at any time, and also after it.
func (s *scene) lookAnd(read func(), queues ...string) map[string][]client.BrowsedMessage {
	s.t.Helper()
	for before := ""; ; {
		read()
		seen, now := map[string][]client.BrowsedMessage{}, ""
		for _, queue := range queues {
			now += "/" + queue
			for m, err := range s.admin.BrowseMessages(s.ctx, queue, client.Filter{}) {
				require.NoError(s.t, err)
				require.NoError(s.t, m.Err)
				seen[queue] = append(seen[queue], m)
				now += " " + m.ID.String()
			}
		}
		if before == now {
			return seen
		}
		before = now
	}
}

// few are the first of what is wrong: the rest mostly follows from them.
func few(wrong []string) []string { return wrong[:min(len(wrong), 10)] }

// texts are the bodies of messages.
func texts(ms []client.BrowsedMessage) []string {
	var found []string
	for _, m := range ms {
		found = append(found, string(m.Message.Body))
	}
	return found
}
