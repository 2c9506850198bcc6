//go:build linux

package jepsen

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/stretchr/testify/require"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/transport"
)

// traceUnderKills: messages that are acked and gone. Whoever leads by now tells
// the life of each, also of those from before it led, and in the end every node
// does by itself. What a node does not remember it says it does not.
func traceUnderKills(s *scene) {
	const queue = "traced"
	s.createQueue(queue, client.QueueSettings{})
	s.begins()

	acked := make(chan client.MessageID, 64)
	s.consume(s.connect(1), queue, func(_ context.Context, d *client.Delivery) error {
		if err := d.Ack(s.ctx); err != nil {
			s.t.Errorf("ack of %v: %v", d.ID, err)
		}
		acked <- d.ID
		return nil
	}, client.WithPrefetch(1))

	type gone struct {
		id     client.MessageID
		deaths int // when it was gone
	}
	var all []gone
	whole, later := 0, 0 // lives that were told; of them those from before a death
	producer, reader := s.connect(0), s.connect(2)
	for i := range s.work(50, func() bool { return later > 20 }) {
		r, err := producer.Publish(s.ctx, queue, client.Message{Body: fmt.Append(nil, i)})
		require.NoError(s.t, err)
		for id := (client.MessageID{}); id != r.ID; {
			select {
			case id = <-acked:
			case <-s.ctx.Done():
				require.NoError(s.t, s.ctx.Err(), "waiting for %v", r.ID)
			}
		}
		all = append(all, gone{r.ID, s.deaths()})
		one := all[rand.N(len(all))]
		told, err := reader.Trace(s.ctx, one.id)
		require.NoError(s.t, err)
		if !s.lifeOf(told) {
			require.Greater(s.t, told.FromIndex, one.id.Index, "%v is not known, nor said to be forgotten: %+v", one.id, told)
			continue
		}
		if whole++; s.deaths() > one.deaths {
			later++
		}
	}
	last := all[len(all)-1].id
	for i, n := range s.cluster.Nodes() {
		c := s.dial(s.cluster.URL(i), client.WithFollowLeader(false))
		s.await(func() bool {
			told, err := c.Trace(s.ctx, last, client.Stale())
			return err == nil && (s.lifeOf(told) || told.FromIndex > last.Index)
		}, n.Name+" to know what became of the last message")
	}
	s.finished("%d messages, %d lives told, %d by another leader than theirs", len(all), whole, later)
}

// lifeOf tells whether a trace has all of a message that was published, handed
// out and acked.
func (s *scene) lifeOf(t client.Trace) bool {
	s.t.Helper()
	n := len(t.Events)
	if n < 3 || t.Events[0].Kind != transport.TracePublished || t.Events[n-1].Kind != transport.TraceAcked {
		return false
	}
	delivered := 0
	for i, e := range t.Events {
		if e.Kind == transport.TraceDelivered {
			delivered++
		}
		if i > 0 && e.Index < t.Events[i-1].Index {
			s.t.Errorf("%v is told backwards: %+v", t.ID, t.Events)
		}
	}
	return delivered > 0
}
