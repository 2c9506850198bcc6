//go:build linux

package jepsen

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ferrymq/ferrymq/client"
)

// requestEach is how many requests there are for each one that is slow, or
// goes to a queue that nobody answers.
const requestEach = 25

// requestReplyUnderKills: requesters ask, and responders answer; some answers
// wait until a leader has died in between. Each request is carried out once and
// has the answer of that one time.
func requestReplyUnderKills(s *scene) {
	const queue, nobody = "request", "request-nobody"
	s.createQueue(queue, client.QueueSettings{})
	s.createQueue(nobody, client.QueueSettings{})
	s.begins()
	x := &exchange{done: map[string][]string{}, told: map[string][]string{}}
	for i := range 3 {
		c := s.connect(i)
		k, err := c.Respond(s.ctx, queue, func(ctx context.Context, d *client.Delivery) (client.Message, error) {
			answer := x.carryOut(string(d.Body))
			if d.Header.Get("slow") != "" {
				s.outlastLeader(ctx)
			}
			return client.Message{Body: []byte(answer)}, nil
		}, client.WithConcurrency(8), client.WithPrefetch(8))
		require.NoError(s.t, err)
		s.endWith(c, k)
	}

	var again, refused, outlasted atomic.Int64
	var asking sync.WaitGroup
	for p := range 4 {
		// Who waits for a slow answer when a leader dies does not ask just then:
		// that is for the others, so often that some request is under way.
		slow, pace := p >= 2, 200.0
		if slow {
			pace = 30
		}
		c := s.connect(p, client.WithAnswerFunc(func(a client.Answer) {
			if a.Op == "request" && a.Sends > 1 {
				again.Add(1)
			}
		}))
		asking.Go(func() {
			for i := range s.work(pace, func() bool { return again.Load() > 0 && outlasted.Load() > 0 }) {
				m := client.Message{Body: fmt.Appendf(nil, "%d-%d", p, i)}
				before := s.failovers()
				if slow && i%requestEach == 0 {
					m.Header = client.Header{"slow": {"yes"}}
				}
				response, err := c.Request(s.ctx, queue, m, client.WithRequestDeadline(time.Minute))
				for errors.Is(err, client.ErrNoResponders) { // they come back to a new leader: not stored, so asked anew
					refused.Add(1)
					response, err = c.Request(s.ctx, queue, m, client.WithRequestDeadline(time.Minute))
				}
				if err != nil {
					s.t.Errorf("request %s: %v", m.Body, err)
					return
				}
				x.answered(string(m.Body), string(response.Body))
				if m.Header != nil && s.failovers() > before {
					outlasted.Add(1)
				}
				if i%requestEach == 0 {
					if _, err := c.Request(s.ctx, nobody, m); !errors.Is(err, client.ErrNoResponders) {
						s.t.Errorf("request to nobody: %v", err)
					}
				}
			}
		})
	}
	asking.Wait()
	s.awaitEmpty(queue)
	s.stopConsumers()
	require.Empty(s.t, few(x.wrong()))
	q := s.queue(queue)
	require.EqualValues(s.t, len(x.told), q.Published)
	require.EqualValues(s.t, len(x.told), q.Acked)
	require.Zero(s.t, q.Dead+q.Expired)
	require.Zero(s.t, s.queue(nobody).Published, "requests to nobody that were stored")
	s.finished("%d requests, each carried out and answered once; %d asked again, %d outlasted a leader, %d found nobody at first",
		len(x.told), again.Load(), outlasted.Load(), refused.Load())
}

// outlastLeader waits until a leader that lives now is dead and another leads.
func (s *scene) outlastLeader(ctx context.Context) {
	kills := s.killer.toll().kills
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		if s.killer.toll().failovers > kills {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// exchange is what was asked, carried out and answered.
type exchange struct {
	mu   sync.Mutex
	n    int
	done map[string][]string // answers that were given, by request
	told map[string][]string // answers that arrived
}

// carryOut is the work of a request. No two answers are the same.
func (x *exchange) carryOut(request string) (answer string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.n++
	answer = fmt.Sprintf("%s done as number %d", request, x.n)
	x.done[request] = append(x.done[request], answer)
	return answer
}

func (x *exchange) answered(request, answer string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.told[request] = append(x.told[request], answer)
}

// wrong says which requests were not carried out once, and answered by that.
func (x *exchange) wrong() (wrong []string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for request, answers := range x.told {
		switch done := x.done[request]; {
		case len(done) != 1 || len(answers) != 1:
			wrong = append(wrong, fmt.Sprintf("%s was carried out %d times and answered %d times", request, len(done), len(answers)))
		case done[0] != answers[0]:
			wrong = append(wrong, fmt.Sprintf("%s was told %q", request, answers[0]))
		}
	}
	for request := range x.done {
		if x.told[request] == nil {
			wrong = append(wrong, request+" was carried out and not answered")
		}
	}
	return wrong
}

func TestExchangeFindsWrongAnswers(t *testing.T) {
	x := &exchange{done: map[string][]string{}, told: map[string][]string{}}
	x.answered("a", x.carryOut("a"))
	require.Empty(t, x.wrong())
	x.answered("b", "b done as number 1")
	require.Equal(t, []string{"b was carried out 0 times and answered 1 times"}, x.wrong())
	x.carryOut("b")
	require.Equal(t, []string{`b was told "b done as number 1"`}, x.wrong())
	x.told["b"] = []string{x.carryOut("b")}
	require.Equal(t, []string{"b was carried out 2 times and answered 1 times"}, x.wrong())
	delete(x.told, "b")
	require.Equal(t, []string{"b was carried out and not answered"}, x.wrong())
}
