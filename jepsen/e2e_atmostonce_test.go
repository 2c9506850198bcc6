//go:build linux

package jepsen

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/jepsen/history"
	"github.com/ferrymq/ferrymq/jepsen/workload"
)

const (
	onceCredit = 4
	oncePlaces = 3
	// onceLife is how many messages a consumer takes before its session ends.
	onceLife = 120
)

// atMostOnceUnderKills: consumers without acks, whose sessions are closed or
// crash after a while, and whose leaders die. No message comes twice, and what
// does not come at all is within the credit that was out when it happened. Who
// takes nothing for a while is assigned no more than its credit.
func atMostOnceUnderKills(s *scene) {
	const queue = "at-most-once"
	s.createQueue(queue, client.QueueSettings{})
	s.begins()
	before := s.term()
	came := &arrivals{times: map[client.MessageID]int{}}
	over := make(chan struct{})
	end := sync.OnceFunc(func() { close(over) })
	var consuming, producing sync.WaitGroup
	defer consuming.Wait()
	defer end()
	defer producing.Wait()
	for place := range oncePlaces {
		consuming.Go(func() {
			i := place
			for came.live(s, i, queue, over) {
				i++ // at another node, and of the other kind
			}
		})
	}

	sent := newLedger()
	enough := func() bool {
		return came.closed.Load() > 0 && came.crashed.Load() > 0 && sent.count(history.OK) > 3*came.lossMax(s.failovers())
	}
	for p := range 2 {
		producer := s.connect(p)
		producing.Go(func() {
			for i := range s.work(120, enough) {
				text := fmt.Sprintf("%d-%d", p, i)
				_, err := producer.Publish(s.ctx, queue, client.Message{Body: []byte(text)})
				sent.note(text, err)
			}
		})
	}
	s.lag()
	producing.Wait()
	s.awaitEmpty(queue)
	end()
	consuming.Wait()

	all := len(sent.sent)
	require.Equal(s.t, all, sent.count(history.OK), "confirmed")
	require.EqualValues(s.t, all, s.queue(queue).Acked, "assigned, once and for all")
	lossMax := came.lossMax(int(s.term() - before))
	require.Less(s.t, lossMax, all, "where all may be lost nothing is shown")
	require.Empty(s.t, few(came.wrong(all, lossMax)))
	s.finished("%d of %d messages came once, none twice, and all but %d had to; %d consumers closed, %d crashed, %d links lost",
		len(came.times), all, lossMax, came.closed.Load(), came.crashed.Load(), came.cut.Load())
}

// term of the leader, as soon as there is one.
func (s *scene) term() uint64 {
	s.t.Helper()
	_, group := s.leading()
	return group.Term
}

// arrivals are the messages that came to consumers without acks, and what may
// have taken some on their way.
type arrivals struct {
	mu    sync.Mutex
	times map[client.MessageID]int
	odd   []string // what is wrong with a delivery by itself

	closed, crashed atomic.Int64 // sessions
	cut             atomic.Int64 // links that were lost in between
}

// lossMax is how many messages may not have come, if so many leaders ended:
// each loss of a leader, a link or a session may have cost a consumer its credit.
func (a *arrivals) lossMax(leaders int) int {
	return onceCredit * (int(a.closed.Load()+a.crashed.Load()+a.cut.Load()) + oncePlaces*leaders)
}

// live is the life of one consumer, until it has taken its part or everything
// is over. It tells whether there is to be another one.
func (a *arrivals) live(s *scene, i int, queue string, over <-chan struct{}) (more bool) {
	f := workload.NewFuse(&workload.Env{})
	c, err := client.Dial(s.ctx, s.cluster.URL(i), client.WithFollowLeader(i%2 == 0), client.WithDialer(f.Dial),
		client.WithStateFunc(func(state client.State, _ error) {
			select {
			case <-f.Blown():
			default:
				if state == client.Reconnecting {
					a.cut.Add(1)
				}
			}
		}))
	if err != nil {
		s.t.Errorf("connect: %v", err)
		return false
	}
	defer c.Close() // it was, unless there is something wrong
	enough := make(chan struct{})
	taken := 0
	k, err := c.Consume(s.ctx, queue, func(_ context.Context, d *client.Delivery) error {
		a.take(d)
		if taken++; taken == onceLife {
			close(enough)
		}
		return nil
	}, client.WithoutAcks(), client.WithPrefetch(onceCredit))
	if err != nil {
		s.t.Errorf("consume: %v", err)
		return false
	}
	select {
	case <-enough:
		more = true
	case <-over:
	case <-s.ctx.Done():
	}
	if more && i%2 == 0 {
		f.Blow()
		a.crashed.Add(1)
	} else {
		a.closed.Add(1)
	}
	if err := c.Close(); err != nil {
		s.t.Errorf("close: %v", err)
	}
	<-k.Done()
	return more
}

func (a *arrivals) take(d *client.Delivery) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.times[d.ID]++
	if d.Attempt != 1 || d.Redelivered || d.Token != 0 {
		a.odd = append(a.odd, fmt.Sprintf("%s has attempt %d and token %d", d.ID, d.Attempt, d.Token))
	}
}

// wrong says what is, if of so many messages at most lossMax may be missing.
func (a *arrivals) wrong(messages, lossMax int) []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	wrong := a.odd
	for id, n := range a.times {
		if n > 1 {
			wrong = append(wrong, fmt.Sprintf("%s came %d times", id, n))
		}
	}
	if lost := messages - len(a.times); lost > lossMax || lost < 0 {
		wrong = append(wrong, fmt.Sprintf("%d of %d messages are missing, at most %d may be", lost, messages, lossMax))
	}
	return wrong
}

func TestArrivalsFindRepeatsAndLosses(t *testing.T) {
	a := &arrivals{times: map[client.MessageID]int{}}
	first := &client.Delivery{ID: client.MessageID{Index: 1}, Attempt: 1}
	a.take(first)
	require.Empty(t, a.wrong(3, 2))
	require.Equal(t, []string{"2 of 3 messages are missing, at most 1 may be"}, a.wrong(3, 1))
	require.Len(t, a.wrong(0, 1), 1, "more came than there were")
	a.take(&client.Delivery{ID: client.MessageID{Index: 2}, Attempt: 2, Token: 7, Redelivered: true})
	require.Equal(t, []string{"0-2-0 has attempt 2 and token 7"}, a.wrong(2, 0))
	a.odd = nil
	a.take(first)
	require.Equal(t, []string{"0-1-0 came 2 times"}, a.wrong(2, 0))
}
