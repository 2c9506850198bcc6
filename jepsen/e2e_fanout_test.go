//go:build linux

package jepsen

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/jepsen/history"
	"github.com/ferrymq/ferrymq/jepsen/workload"
)

const (
	fanOutTopic = "fan-out"
	// fanOutPatience is shorter than a change of leaders takes.
	fanOutPatience = 50 * time.Millisecond
	// fanOutLife is how many messages a producer publishes, all at once, and
	// fanOutCrash is within what time it crashes then: some are under way.
	fanOutLife  = 20
	fanOutCrash = 10 * time.Millisecond
)

// fanOutUnderKills: a topic with several durable subscriptions, and producers
// that wait for each confirmation, that do not wait long, and that crash. Every
// confirmed message is in each subscription once, and one whose outcome nobody
// knows is in each or in none.
func fanOutUnderKills(s *scene) {
	require.NoError(s.t, s.admin.CreateTopic(s.ctx, fanOutTopic, client.TopicSettings{}))
	subscriptions := map[string]string{"fan-out-all": "", "fan-out-orders": "order.*", "fan-out-eu": "*.eu"}
	for queue, filter := range subscriptions {
		require.NoError(s.t, s.admin.Subscribe(s.ctx, client.Subscription{Topic: fanOutTopic, Queue: queue, Filter: filter}))
	}
	s.begins()

	sent := newLedger()
	message := func(text string) client.Message { return client.Message{Subject: "order.eu", Body: []byte(text)} }
	enough := func() bool { return sent.count(history.Unknown) > 0 }
	var producing sync.WaitGroup
	for p, patience := range []time.Duration{0, 0, fanOutPatience} {
		c := s.connect(p)
		producing.Go(func() {
			for i := range s.work(50, enough) {
				ctx, cancel := s.ctx, context.CancelFunc(func() {})
				if patience > 0 {
					ctx, cancel = context.WithTimeout(s.ctx, patience)
				}
				text := fmt.Sprintf("%d-%d", p, i)
				r, err := c.Publish(ctx, fanOutTopic, message(text))
				cancel()
				sent.note(text, err)
				if err == nil && r.Queues != len(subscriptions) {
					s.t.Errorf("%s went to %d subscriptions", text, r.Queues)
				}
			}
		})
	}
	crashes := 0
	producing.Go(func() {
		for i := range s.work(4, enough) {
			crashes++
			f := workload.NewFuse(&workload.Env{})
			c := s.dial(s.cluster.URL(i), client.WithDialer(f.Dial))
			var told sync.WaitGroup
			for n := range fanOutLife {
				text := fmt.Sprintf("crash-%d-%d", i, n)
				told.Add(1)
				err := c.PublishAsync(s.ctx, fanOutTopic, message(text), func(_ client.Receipt, err error) {
					sent.note(text, err)
					told.Done()
				})
				if err != nil {
					sent.note(text, err)
					told.Done()
				}
			}
			<-time.After(rand.N(fanOutCrash))
			f.Blow()
			if err := c.Close(); err != nil {
				s.t.Errorf("close: %v", err)
			}
			told.Wait()
		}
	})
	producing.Wait()

	var topic client.TopicInfo
	info := map[string]client.QueueInfo{}
	there := s.lookAnd(func() {
		var err error
		topic, err = s.admin.Topic(s.ctx, fanOutTopic)
		require.NoError(s.t, err)
		for queue := range subscriptions {
			info[queue] = s.queue(queue)
		}
	}, slices.Sorted(maps.Keys(subscriptions))...)
	found := map[string][]string{}
	for queue := range subscriptions {
		found[queue] = texts(there[queue])
	}
	require.Empty(s.t, few(torn(sent, found)))
	all := found["fan-out-all"]
	require.EqualValues(s.t, len(all), topic.Published)
	for queue, q := range info {
		require.EqualValues(s.t, len(all), q.Published, queue)
		require.Zero(s.t, q.Missed+q.Dead+q.Overflowed, queue)
	}
	unknown := sent.count(history.Unknown)
	s.finished("%d confirmed and %d of %d of unknown outcome, in all of %d subscriptions once; %d producers crashed",
		sent.count(history.OK), len(all)-sent.count(history.OK), unknown, len(subscriptions), crashes)
}

// torn says what is wrong with the messages found in subscriptions that all
// have to have the same: each confirmed one, once.
func torn(sent *ledger, found map[string][]string) (wrong []string) {
	var first []string
	for i, queue := range slices.Sorted(maps.Keys(found)) {
		for _, w := range sent.misplaced(found[queue]) {
			wrong = append(wrong, queue+": "+w)
		}
		here := slices.Sorted(slices.Values(found[queue]))
		if i == 0 {
			first = here
		} else if !slices.Equal(first, here) {
			wrong = append(wrong, fmt.Sprintf("%s has %d messages, not the same %d as the first", queue, len(here), len(first)))
		}
	}
	return wrong
}

func TestTornFindsHalfAFanOut(t *testing.T) {
	l := newLedger()
	l.note("a", nil)
	l.note("perhaps", client.ErrUnknownOutcome)
	require.Empty(t, torn(l, map[string][]string{"x": {"a"}, "y": {"a"}}))
	require.Empty(t, torn(l, map[string][]string{"x": {"a", "perhaps"}, "y": {"perhaps", "a"}}))
	require.Equal(t, []string{"y has 2 messages, not the same 1 as the first"},
		torn(l, map[string][]string{"x": {"a"}, "y": {"a", "perhaps"}}))
	require.Equal(t, []string{"y: lost: a", "y has 0 messages, not the same 1 as the first"},
		torn(l, map[string][]string{"x": {"a"}, "y": nil}))
	require.Contains(t, torn(l, map[string][]string{"x": {"a", "a"}, "y": {"a", "a"}}), "x: doubled: a")
}
