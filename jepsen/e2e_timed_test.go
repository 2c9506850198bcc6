//go:build linux

package jepsen

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/jepsen/history"
)

const (
	// timedStep is the step of the cluster's wall clock: all nodes have this
	// machine's, cut to it.
	timedStep = time.Millisecond
	// timedMost is the longest that a message waits, and that it may wait.
	timedMost = 2500 * time.Millisecond
	// timedLook is how often a queue is looked at.
	timedLook = 50 * time.Millisecond
)

// timedUnderKills: messages that are not to be handed out yet, and others that
// expire, some in spite of a consumer, some without one. Leaders die between
// their publish and their time. Both go by the wall clock of the log, which is
// this machine's, whoever leads; what stands still while nobody leads is the
// clock of leases, and has no part in this.
func timedUnderKills(s *scene) {
	const later, drop, dead = "timed-later", "timed-drop", "timed-dead"
	s.createQueue(later, client.QueueSettings{})
	s.createQueue(drop, client.QueueSettings{})
	s.createQueue(dead, client.QueueSettings{ExpiredDead: true})
	s.begins()

	x := map[string]*times{later: newTimes(), drop: newTimes(), dead: newTimes()}
	var delayed [2][]arrival // in the order in which each handler got them
	for i := range delayed {
		s.consume(s.connect(i), later, func(_ context.Context, d *client.Delivery) error {
			delayed[i] = append(delayed[i], arrival{text: string(d.Body), at: time.Now()})
			x[later].came(string(d.Body), s.deaths())
			return nil
		})
	}
	var taken []arrival
	var taking atomic.Int64
	var asked time.Time
	s.consume(s.connect(2), dead, func(ctx context.Context, d *client.Delivery) error {
		taken = append(taken, arrival{text: string(d.Body), asked: asked, at: time.Now()})
		select { // it comes to some in time only
		case <-ctx.Done():
		case <-time.After(30 * time.Millisecond):
		}
		taking.Add(1)
		asked = time.Now()
		if err := d.Ack(s.ctx); err != nil {
			s.t.Errorf("ack of %s: %v", d.Body, err)
		}
		return nil
	}, client.WithPrefetch(1))

	sent := map[string]*ledger{later: newLedger(), drop: newLedger(), dead: newLedger()}
	stay := 0 // of those that could be dropped, without a time
	enough := func() bool {
		return x[later].crossings() > 0 && x[drop].crossings() > 0 && taking.Load() > 0
	}
	var producing, looking sync.WaitGroup
	for p, queue := range []string{later, drop, dead} {
		producer := s.connect(p)
		producing.Go(func() {
			for i := range s.work(60, enough) {
				text := fmt.Sprintf("%s-%d", queue, i)
				m := client.Message{Body: []byte(text)}
				t := &timed{text: text, began: time.Now(), wait: timedStep + rand.N(timedMost), deaths: s.deaths()}
				switch {
				case queue == later && i%3 == 0:
					m.Delay = t.wait
				case queue == later && i%3 == 1:
					m.DeliverAt, t.fixed = t.began.Add(t.wait), true
				case queue == later:
					t.wait = 0
				case queue == drop && i%8 == 0:
					t.wait = 0
					stay++
				case queue == drop && i%8 == 1: // it lives from when it is ready
					m.Delay, m.TTL = t.wait/2, t.wait-t.wait/2
				default:
					m.TTL = t.wait
				}
				x[queue].publishes(t)
				r, err := producer.Publish(s.ctx, queue, m)
				if err == nil {
					x[queue].confirmed(t, r.ID, time.Now())
				}
				sent[queue].note(text, err)
			}
		})
	}
	over := make(chan struct{})
	for _, queue := range []string{drop, dead} {
		c := s.connect(1)
		looking.Go(func() { s.lookAtTimes(c, queue, x[queue], queue == dead, over) })
	}
	producing.Wait()
	close(over)
	looking.Wait()
	s.awaitEmpty(later)
	s.awaitEmpty(dead)
	s.stopConsumers()
	s.await(func() bool { return left(s.queue(drop)) <= uint64(stay) }, "what expires to be gone")

	for queue, l := range sent {
		require.Equal(s.t, len(l.sent), l.count(history.OK), "confirmed by %s", queue)
	}
	for _, came := range delayed {
		require.Empty(s.t, few(x[later].readied(came)))
	}
	all := slices.Concat(delayed[:]...)
	require.Empty(s.t, few(sent[later].misplaced(textsOf(all))))
	there := s.look(later, drop, dead, dead+".dlq", drop+".dlq", later+".dlq")
	require.Empty(s.t, there[drop+".dlq"])
	require.Empty(s.t, there[later+".dlq"])
	require.Empty(s.t, few(x[drop].seen()))
	require.Len(s.t, there[drop], stay, "what has no time stays")
	require.EqualValues(s.t, len(sent[drop].sent)-stay, s.queue(drop).Expired)
	require.Empty(s.t, few(x[dead].seen()))
	require.Empty(s.t, few(x[dead].outlived(taken)))
	require.Empty(s.t, few(x[dead].buried(there[dead+".dlq"])))
	require.Empty(s.t, few(sent[dead].misplaced(append(textsOf(taken), texts(there[dead+".dlq"])...))), "each is acked, or expired")
	q := s.queue(dead)
	require.EqualValues(s.t, len(taken), q.Acked)
	require.EqualValues(s.t, len(there[dead+".dlq"]), q.Expired)
	require.NotZero(s.t, q.Expired)
	s.finished("%d messages, none early, none behind its time, %v late at most with all gaps, %d came after a leader had died; "+
		"%d dropped on time, %d of them after a leader had died, %d expired on time beside %d that were acked",
		len(all), x[later].late(all).Round(time.Millisecond), x[later].crossings(),
		s.queue(drop).Expired, x[drop].crossings(), q.Expired, q.Acked)
}

// lookAtTimes judges what is in a queue, again and again.
func (s *scene) lookAtTimes(c *client.Conn, queue string, x *times, taken bool, over <-chan struct{}) {
	tick := time.NewTicker(timedLook)
	defer tick.Stop()
	for {
		select {
		case <-over:
			return
		case <-tick.C:
		}
		err := x.look(taken, s.deaths, func() (map[client.MessageID]client.MessageState, error) {
			there := map[client.MessageID]client.MessageState{}
			for m, err := range c.Browse(s.ctx, queue, client.Filter{}) {
				if err != nil {
					return nil, err
				}
				there[m.ID] = m.State
			}
			return there, nil
		})
		if err != nil {
			s.t.Errorf("look at %s: %v", queue, err)
			return
		}
	}
}

// textsOf are the texts of arrivals.
func textsOf(came []arrival) []string {
	var found []string
	for _, a := range came {
		found = append(found, a.text)
	}
	return found
}
