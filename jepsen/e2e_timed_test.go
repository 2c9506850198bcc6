//go:build linux

package jepsen

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
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
)

// timedUnderKills: messages that are not to be handed out yet, and others that
// expire, some in spite of a consumer, some without one. Leaders die between
// their publish and their time.
func timedUnderKills(s *scene) {
	const later, drop, dead = "timed-later", "timed-drop", "timed-dead"
	s.createQueue(later, client.QueueSettings{})
	s.createQueue(drop, client.QueueSettings{})
	s.createQueue(dead, client.QueueSettings{ExpiredDead: true})
	s.begins()

	delays, taken := newTimes(), newTimes()
	for i := range 2 {
		s.consume(s.connect(i), later, func(_ context.Context, d *client.Delivery) error {
			delays.came(string(d.Body), time.Now(), s.deaths())
			return nil
		})
	}
	s.consume(s.connect(2), dead, func(ctx context.Context, d *client.Delivery) error {
		select { // it comes to some in time only
		case <-ctx.Done():
		case <-time.After(30 * time.Millisecond):
		}
		taken.came(string(d.Body), time.Now(), s.deaths())
		if err := d.Ack(s.ctx); err != nil {
			s.t.Errorf("ack of %s: %v", d.Body, err)
		}
		return nil
	}, client.WithPrefetch(1))

	sent := map[string]*ledger{later: newLedger(), drop: newLedger(), dead: newLedger()}
	stay := 0 // of those that could be dropped, without a time
	var producing sync.WaitGroup
	for p, queue := range []string{later, drop, dead} {
		producer := s.connect(p)
		producing.Go(func() {
			for i := range s.work(60, func() bool { return delays.crossings() > 0 && taken.count() > 0 }) {
				text := fmt.Sprintf("%s-%d", queue, i)
				m := client.Message{Body: []byte(text)}
				wait, now := timedStep+rand.N(timedMost), time.Now()
				switch {
				case queue == later && i%2 == 0:
					m.Delay = wait
				case queue == later:
					m.DeliverAt = now.Add(wait)
				case queue == drop && i%8 == 0:
					stay++
				default:
					m.TTL = wait
				}
				if queue == later {
					delays.expect(text, now.Add(wait), s.deaths())
				}
				_, err := producer.Publish(s.ctx, queue, m)
				sent[queue].note(text, err)
			}
		})
	}
	producing.Wait()
	s.awaitEmpty(later)
	s.awaitEmpty(dead)
	s.stopConsumers()
	s.await(func() bool { return left(s.queue(drop)) <= uint64(stay) }, "what expires to be gone")

	for queue, l := range sent {
		require.Equal(s.t, len(l.sent), l.count(history.OK), "confirmed by %s", queue)
	}
	require.Empty(s.t, few(delays.early(timedStep)))
	require.Empty(s.t, few(sent[later].misplaced(delays.all())))
	there := s.look(later, drop, dead, dead+".dlq", drop+".dlq", later+".dlq")
	require.Empty(s.t, there[drop+".dlq"])
	require.Empty(s.t, there[later+".dlq"])
	require.Len(s.t, there[drop], stay, "what has no time stays")
	require.EqualValues(s.t, len(sent[drop].sent)-stay, s.queue(drop).Expired)
	for _, m := range there[dead+".dlq"] {
		require.Equal(s.t, "expired", m.Death.Reason, "%s", m.Message.Body)
	}
	require.Empty(s.t, few(sent[dead].misplaced(append(taken.all(), texts(there[dead+".dlq"])...))), "each is acked, or expired")
	q := s.queue(dead)
	require.EqualValues(s.t, taken.count(), q.Acked)
	require.EqualValues(s.t, len(there[dead+".dlq"]), q.Expired)
	require.NotZero(s.t, q.Expired)
	s.finished("%d delayed messages, none early, %v late at most, %d came after a leader had died; %d dropped, %d expired beside %d that were acked",
		delays.count(), delays.late().Round(time.Millisecond), delays.crossings(), s.queue(drop).Expired, q.Expired, q.Acked)
}

// times are when messages were due, and when they came.
type times struct {
	mu      sync.Mutex
	due     map[string]time.Time
	deaths  map[string]int // leaders that had died before the publish
	arrived map[string][]time.Time
	crossed int // messages of which a leader died between publish and arrival
}

func newTimes() *times {
	return &times{due: map[string]time.Time{}, deaths: map[string]int{}, arrived: map[string][]time.Time{}}
}

func (x *times) expect(text string, due time.Time, deaths int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.due[text], x.deaths[text] = due, deaths
}

func (x *times) came(text string, at time.Time, deaths int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.arrived[text] = append(x.arrived[text], at)
	if x.deaths[text] < deaths {
		x.crossed++
	}
}

func (x *times) crossings() int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.crossed
}

// count is how many messages came.
func (x *times) count() int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return len(x.arrived)
}

// all are the messages that came, as often as they did.
func (x *times) all() (texts []string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for text, at := range x.arrived {
		for range at {
			texts = append(texts, text)
		}
	}
	return texts
}

// early says which messages came before their time, by more than a step.
func (x *times) early(step time.Duration) (wrong []string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for text, at := range x.arrived {
		if before := x.due[text].Sub(at[0]); before > step {
			wrong = append(wrong, fmt.Sprintf("%s came %v too early", text, before))
		}
	}
	return wrong
}

// late is how late the latest one came.
func (x *times) late() (most time.Duration) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for text, at := range x.arrived {
		most = max(most, at[0].Sub(x.due[text]))
	}
	return most
}

func TestTimesFindWhatIsEarly(t *testing.T) {
	x, now := newTimes(), time.Now()
	x.expect("a", now, 0)
	x.expect("b", now, 1)
	x.came("a", now.Add(-time.Millisecond), 1)
	x.came("b", now.Add(time.Second), 1)
	require.Empty(t, x.early(time.Millisecond))
	require.Equal(t, []string{"a came 1ms too early"}, x.early(time.Millisecond-1))
	require.Equal(t, time.Second, x.late())
	require.Equal(t, 1, x.crossings())
	x.came("b", now, 1)
	require.ElementsMatch(t, []string{"a", "b", "b"}, x.all())
	require.Equal(t, 2, x.count())
}
