package workload

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/jepsen/check"
	"github.com/ferrymq/ferrymq/jepsen/history"
)

const (
	topicName  = "topic"
	topicAll   = "topic-all"
	topicEU    = "topic-eu"
	topicNew   = "topic-new"   // required, and often full
	topicLossy = "topic-lossy" // often full, and so is its dead-letter queue

	topicNewMax   = 10
	topicLossyMax = 20
	topicLossyDLQ = 30
)

// topicSubjects are taken in turn.
var topicSubjects = [...]string{"orders.eu.new", "orders.eu.paid", "orders.us.new", "audit"}

func topicSubject(k history.Key) string { return topicSubjects[k.Seq%uint64(len(topicSubjects))] }

// Topic is a topic whose messages go to several subscriptions, of which one
// holds up all when it is full, and one misses messages then.
type Topic struct{ *crew }

// Name is the workload's.
func (w *Topic) Name() string { return "topic" }

// Setup makes the topic and its subscriptions.
func (w *Topic) Setup(ctx context.Context, e *Env) error {
	w.crew = newCrew(e, w.Name())
	c, err := w.connect(ctx, w.name, 0)
	if err != nil {
		return err
	}
	err = c.conn.CreateTopic(ctx, topicName, client.TopicSettings{})
	plain := client.QueueSettings{FailureLimit: client.FailureLimitUnlimited, Retry: atOnce}
	required, lossy := plain, plain
	required.MaxMessages = topicNewMax
	lossy.MaxMessages, lossy.DLQMessages, lossy.Overflow = topicLossyMax, topicLossyDLQ, client.OverflowDropOldest
	for _, s := range []client.Subscription{
		{Queue: topicAll, Settings: plain},
		{Queue: topicEU, Filter: "orders.eu.*", Settings: plain},
		{Queue: topicNew, Filter: "orders.*.new", Required: true, Settings: required},
		{Queue: topicLossy, Filter: "orders.>", Settings: lossy},
	} {
		s.Topic = topicName
		err = errors.Join(err, c.conn.Subscribe(ctx, s))
	}
	return errors.Join(err, c.close())
}

// Run has enough consumers of two subscriptions, and one of the others that
// comes to about half of what is published.
func (w *Topic) Run(ctx context.Context, e *Env) error {
	for i := range 2 {
		for _, queue := range []string{topicAll, topicEU} {
			m := member{consuming: consuming{Queue: queue, Prefetch: 32}, place: i, handle: w.take}
			if i == 1 {
				m.life = 3 * time.Second
			}
			w.join(m)
		}
		w.produce(ctx, i, e.Rate/2, w.publish)
	}
	for i, queue := range []string{topicNew, topicLossy} {
		hold := time.Duration(3 / e.Rate * float64(time.Second))
		w.join(member{
			consuming: consuming{Queue: queue, Prefetch: 4, Concurrency: 1}, place: i,
			handle: func(d *Delivery) {
				d.Hold(hold)
				w.take(d)
			},
		})
	}
	w.producing.Wait()
	return w.err()
}

func (w *Topic) publish(ctx context.Context, p *producer) {
	k := p.key()
	o, m := p.message(topicName, k, p.rand.IntN(256))
	m.Subject = topicSubject(k)
	w.judge(p.send(ctx, o, m, func(err error) { w.judge(err) }))
}

func (w *Topic) take(d *Delivery) { d.AckThen(func(err error) { w.judge(err, client.ErrLeaseLost) }) }

// Drain empties the dead-letter queue as well, which stayed full until now.
func (w *Topic) Drain(ctx context.Context, _ *Env) error {
	dlq := topicLossy + ".dlq"
	w.join(member{consuming: consuming{Queue: dlq, Prefetch: 32}, handle: w.take})
	return w.drain(ctx, topicAll, topicEU, topicNew, topicLossy, dlq)
}

// Checkers of the workload.
func (w *Topic) Checkers(scale float64) []check.Checker {
	under := func(prefix, suffix string) func(history.Key) bool {
		return func(k history.Key) bool {
			s := topicSubject(k)
			return strings.HasPrefix(s, prefix) && strings.HasSuffix(s, suffix)
		}
	}
	return []check.Checker{check.FanOut{
		Workload: w.Name(), Topic: topicName,
		Subscriptions: []check.Subscribed{
			{Queue: topicAll, Matches: under("", "")},
			{Queue: topicEU, Matches: under("orders.eu.", "")},
			{Queue: topicNew, Matches: under("orders.", ".new")},
			{Queue: topicLossy, Matches: under("orders.", ""), Lossy: true},
		},
		Floors: check.FanOutFloors{
			Confirmed: floor(1500, scale), Copies: floor(2500, scale), Missed: floor(40, scale), Refused: floor(40, scale),
		},
	}}
}
