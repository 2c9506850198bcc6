//go:build linux

package jepsen

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/jepsen/history"
	"github.com/ferrymq/ferrymq/jepsen/workload"
)

const (
	fanOutTopic = "fan-out"
	fanOutLossy = "fan-out-lossy"
	fanOutMust  = "fan-out-must"
	// fanOutPatience is shorter than a change of leaders takes.
	fanOutPatience = 50 * time.Millisecond
	// fanOutLife is how many messages a producer publishes, all at once, and
	// fanOutCrash is within what time it crashes then: some are under way.
	fanOutLife  = 20
	fanOutCrash = 10 * time.Millisecond
	// fanOutRoom is what a subscription has room for that is to be full: less
	// than is published to it at once.
	fanOutRoom = fanOutLife/2 - 2
)

// fanOutSubjects are published to in turn.
var fanOutSubjects = [...]string{"order.eu", "order.us", "bill.eu", "bill.us"}

// fanOutSubscriptions and the subjects that their filters match, told apart as
// this test knows them and not by the rule that it tests.
var fanOutSubscriptions = map[string]struct {
	filter   string
	matches  string
	required bool
	settings client.QueueSettings
}{
	"fan-out-all":    {matches: "order.eu order.us bill.eu bill.us"},
	"fan-out-orders": {filter: "order.*", matches: "order.eu order.us"},
	"fan-out-eu":     {filter: "*.eu", matches: "order.eu bill.eu"},
	"fan-out-none":   {filter: "order", matches: ""},
	fanOutLossy: {filter: "order.>", matches: "order.eu order.us", settings: client.QueueSettings{
		MaxMessages: fanOutRoom, DLQMessages: fanOutRoom,
	}},
	fanOutMust: {filter: "order.>", matches: "order.eu order.us", required: true, settings: client.QueueSettings{
		MaxMessages: fanOutRoom,
	}},
}

// fanOutUnderKills: a topic with several durable subscriptions, and producers
// that wait for each confirmation, that do not wait long, and that crash. Every
// confirmed message is once in each subscription that it matches, and one whose
// outcome nobody knows is in each or in none. So is one that a required
// subscription has no room for: in none. A lossy one may miss it, which is counted.
func fanOutUnderKills(s *scene) {
	require.NoError(s.t, s.admin.CreateTopic(s.ctx, fanOutTopic, client.TopicSettings{}))
	for queue, f := range fanOutSubscriptions {
		require.NoError(s.t, s.admin.Subscribe(s.ctx, client.Subscription{
			Topic: fanOutTopic, Queue: queue, Filter: f.filter, Required: f.required, Settings: f.settings,
		}))
	}
	s.begins()
	taken := map[string]*bag{fanOutLossy: {}, fanOutMust: {}}
	for queue, pause := range map[string]time.Duration{fanOutLossy: 50 * time.Millisecond, fanOutMust: 5 * time.Millisecond} {
		s.consume(s.connect(1), queue, func(ctx context.Context, d *client.Delivery) error {
			select {
			case <-ctx.Done():
			case <-time.After(pause): // work
			}
			if err := d.Ack(s.ctx); err != nil {
				s.t.Errorf("ack of %s: %v", d.Body, err)
			}
			taken[queue].add(string(d.Body))
			return nil
		}, client.WithPrefetch(2))
	}

	sent := newLedger()
	var refused atomic.Int64 // that were told so
	note := func(text string, err error) {
		sent.note(text, err)
		if errors.Is(err, client.ErrQueueFull) {
			refused.Add(1)
		}
	}
	var seen atomic.Bool // all that this is about
	var producing sync.WaitGroup
	for p, patience := range []time.Duration{0, 0, fanOutPatience} {
		c := s.connect(p)
		producing.Go(func() {
			for i := range s.work(50, seen.Load) {
				ctx, cancel := s.ctx, context.CancelFunc(func() {})
				if patience > 0 {
					ctx, cancel = context.WithTimeout(s.ctx, patience)
				}
				m := fanOutMessage(i, fmt.Sprintf("%d-%d", p, i))
				r, err := c.Publish(ctx, fanOutTopic, m)
				cancel()
				note(string(m.Body), err)
				if most := len(fanOutOf(string(m.Body))); err == nil && r.Queues != most &&
					(r.Queues != most-1 || !fanOutWants(fanOutLossy, string(m.Body))) {
					s.t.Errorf("%s went to %d subscriptions", m.Body, r.Queues)
				}
			}
		})
	}
	bursts := 0
	producing.Go(func() {
		for i := range s.work(4, func() bool {
			if n := s.queue(fanOutMust).Missed; n > 0 {
				s.t.Errorf("a required subscription missed %d messages", n)
			}
			return sent.count(history.Unknown) > 0 && refused.Load() > 0 && s.queue(fanOutLossy).Missed > 0
		}) {
			bursts++
			s.fanOutBurst(i, note)
		}
		seen.Store(true)
	})
	producing.Wait()
	s.awaitEmpty(fanOutMust)
	s.awaitEmpty(fanOutLossy)
	s.stopConsumers()

	var topic client.TopicInfo
	info := map[string]client.QueueInfo{}
	queues := slices.Sorted(maps.Keys(fanOutSubscriptions))
	there := s.lookAnd(func() {
		var err error
		topic, err = s.admin.Topic(s.ctx, fanOutTopic)
		require.NoError(s.t, err)
		for _, queue := range queues {
			info[queue] = s.queue(queue)
		}
	}, append(queues, fanOutLossy+".dlq")...)
	found := map[string][]string{}
	for _, queue := range queues {
		found[queue] = texts(there[queue])
		if taken[queue] != nil {
			found[queue] = append(found[queue], taken[queue].all()...)
		}
	}
	lossy := append(found[fanOutLossy], texts(there[fanOutLossy+".dlq"])...)
	delete(found, fanOutLossy)
	require.Empty(s.t, few(torn(sent, found)))
	all := found["fan-out-all"]
	require.Empty(s.t, few(strangers(lossy, found["fan-out-orders"])))
	require.EqualValues(s.t, len(all), topic.Published)
	for queue, q := range info {
		matched := len(wanted(queue, all))
		require.EqualValues(s.t, matched, q.Published+q.Missed, queue)
		if queue != fanOutLossy {
			require.Zero(s.t, q.Missed+q.Dead+q.Overflowed, queue)
			continue
		}
		require.EqualValues(s.t, matched, uint64(len(lossy))+q.Missed, "taken, dead or missed")
		require.EqualValues(s.t, len(there[queue+".dlq"]), q.Overflowed)
		require.NotZero(s.t, q.Overflowed)
	}
	unknown := sent.count(history.Unknown)
	s.finished("%d confirmed and %d of %d of unknown outcome, in all that they match of %d subscriptions once, and %d refused in none; "+
		"a lossy one missed %d and dropped %d; %d bursts, every second one crashed",
		sent.count(history.OK), len(all)-sent.count(history.OK), unknown, len(queues), refused.Load(),
		info[fanOutLossy].Missed, info[fanOutLossy].Overflowed, bursts)
}

// fanOutBurst publishes many messages at once; every second time the producer
// crashes, and nobody asks again.
func (s *scene) fanOutBurst(i int, note func(text string, err error)) {
	f := workload.NewFuse(&workload.Env{})
	c := s.dial(s.cluster.URL(i), client.WithDialer(f.Dial))
	var told sync.WaitGroup
	for n := range fanOutLife {
		m := fanOutMessage(n, fmt.Sprintf("burst-%d-%d", i, n))
		told.Add(1)
		err := c.PublishAsync(s.ctx, fanOutTopic, m, func(_ client.Receipt, err error) {
			note(string(m.Body), err)
			told.Done()
		})
		if err != nil {
			note(string(m.Body), err)
			told.Done()
		}
	}
	if i%2 == 0 {
		told.Wait()
	} else {
		<-time.After(rand.N(fanOutCrash))
		f.Blow()
	}
	if err := c.Close(); err != nil {
		s.t.Errorf("close: %v", err)
	}
	told.Wait()
}

// fanOutMessage has its subject in its text.
func fanOutMessage(i int, text string) client.Message {
	subject := fanOutSubjects[i%len(fanOutSubjects)]
	return client.Message{Subject: subject, Body: []byte(text + " " + subject)}
}

// fanOutWants tells whether a subscription matches a message.
func fanOutWants(queue, text string) bool {
	_, subject, _ := strings.Cut(text, " ")
	return slices.Contains(strings.Fields(fanOutSubscriptions[queue].matches), subject)
}

// fanOutOf are the subscriptions that match a message.
func fanOutOf(text string) (queues []string) {
	for queue := range fanOutSubscriptions {
		if fanOutWants(queue, text) {
			queues = append(queues, queue)
		}
	}
	return queues
}

// wanted are those of some messages that a subscription matches, sorted.
func wanted(queue string, all []string) (some []string) {
	for _, text := range all {
		if fanOutWants(queue, text) {
			some = append(some, text)
		}
	}
	slices.Sort(some)
	return some
}

// torn says what is wrong with the messages found in subscriptions, one of
// which matches all: each confirmed one has to be there once, and the others
// have of all those that they match, and no others.
func torn(sent *ledger, found map[string][]string) (wrong []string) {
	const all = "fan-out-all"
	for _, w := range sent.misplaced(found[all]) {
		wrong = append(wrong, all+": "+w)
	}
	for _, queue := range slices.Sorted(maps.Keys(found)) {
		here, want := slices.Sorted(slices.Values(found[queue])), wanted(queue, found[all])
		if !slices.Equal(here, want) {
			wrong = append(wrong, fmt.Sprintf("%s has %d messages, not the same %d that it matches of all", queue, len(here), len(want)))
		}
	}
	return wrong
}

// strangers are those that are not among others, or there twice.
func strangers(some, others []string) (wrong []string) {
	left := map[string]int{}
	for _, text := range others {
		left[text]++
	}
	for _, text := range some {
		if left[text]--; left[text] < 0 {
			wrong = append(wrong, text)
		}
	}
	return wrong
}

// bag is what handlers have taken.
type bag struct {
	mu    sync.Mutex
	texts []string
}

func (b *bag) add(text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.texts = append(b.texts, text)
}

func (b *bag) all() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.texts)
}

func TestTornFindsHalfAFanOut(t *testing.T) {
	const all, eu = "fan-out-all", "fan-out-eu"
	const a, us, perhaps = "a order.eu", "b order.us", "perhaps bill.eu"
	l := newLedger()
	l.note(a, nil)
	l.note(us, nil)
	l.note(perhaps, client.ErrUnknownOutcome)
	l.note("refused order.eu", &client.Error{})
	require.Empty(t, torn(l, map[string][]string{all: {a, us}, eu: {a}}))
	require.Empty(t, torn(l, map[string][]string{all: {a, us, perhaps}, eu: {perhaps, a}}))
	require.Equal(t, []string{"fan-out-eu has 2 messages, not the same 1 that it matches of all"},
		torn(l, map[string][]string{all: {a, us}, eu: {a, perhaps}}))
	require.Equal(t, []string{"fan-out-eu has 2 messages, not the same 1 that it matches of all"},
		torn(l, map[string][]string{all: {a, us}, eu: {a, us}}))
	require.Equal(t, []string{"fan-out-eu has 1 messages, not the same 2 that it matches of all"},
		torn(l, map[string][]string{all: {a, us, perhaps}, eu: {a}}))
	require.Contains(t, torn(l, map[string][]string{all: {us}, eu: nil}), "fan-out-all: lost: "+a)
	require.Contains(t, torn(l, map[string][]string{all: {a, a, us}, eu: {a, a}}), "fan-out-all: doubled: "+a)
	require.Contains(t, torn(l, map[string][]string{all: {a, us, "refused order.eu"}}), "fan-out-all: refused, and there: refused order.eu")
	require.Equal(t, []string{a, us}, strangers([]string{a, a, us, perhaps}, []string{a, perhaps}))
}
