package workload

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/jepsen/check"
	"github.com/ferrymq/ferrymq/jepsen/history"
)

const (
	requestAgain = "request-again"
	requestOnce  = "request-once" // whose requests are not tried again

	requestFailures = 3
	requestRate     = 300
	requestOpen     = 64 // requests of a client at a time
	requestDeadline = 3 * time.Second
)

// Request is clients that ask and others that answer. The answer is a function
// of the request.
type Request struct{ *crew }

// Name is the workload's.
func (w *Request) Name() string { return "request" }

// Setup makes the queues.
func (w *Request) Setup(ctx context.Context, e *Env) error {
	w.crew = newCrew(e, w.Name())
	return w.setup(ctx, client.QueueSettings{FailureLimit: requestFailures, Retry: atOnce}, requestAgain, requestOnce)
}

// answerTo is the one right answer to a request.
func answerTo(k history.Key) []byte { return fmt.Appendf(nil, "%x", sha256.Sum256([]byte(k.String()))) }

// Run has three answer each kind of request, of whom one comes and goes.
func (w *Request) Run(ctx context.Context, e *Env) error {
	for i, queue := range []string{requestAgain, requestOnce} {
		for place := range 3 {
			m := member{consuming: consuming{Queue: queue, Prefetch: 16}, place: i + place, handle: w.respond}
			if place == 2 {
				m.life = 2 * time.Second
			}
			w.join(m)
		}
		w.join(member{consuming: consuming{Queue: queue + ".dlq", Prefetch: 16}, place: i, handle: w.take})
		places := make(chan struct{}, requestOpen)
		w.produce(ctx, i, min(e.Rate, requestRate)/2, func(ctx context.Context, p *producer) {
			select {
			case places <- struct{}{}:
			case <-ctx.Done():
				return
			}
			k := p.key()
			p.open.add()
			go func() {
				defer p.open.done()
				defer func() { <-places }()
				w.judge(p.ask(queue, k), client.ErrNoResponders, client.ErrExpired, client.ErrDeadLettered, client.ErrResponderLost)
			}()
		})
	}
	w.producing.Wait()
	return w.err()
}

// ask makes a request and waits for its answer.
func (c *Client) ask(queue string, k history.Key) error {
	opts := []client.RequestOption{client.WithRequestDeadline(requestDeadline)}
	if queue == requestOnce {
		opts = append(opts, client.NoRetry())
	}
	o := c.op(check.Ask, queue)
	o.Key = k
	place := c.env.Recorder.Invoke(o)
	r, err := c.conn.Request(context.Background(), queue, client.Message{Body: k.Body(0)}, opts...)
	c.env.Recorder.Complete(place, OutcomeOf(err), func(o *history.Op) {
		refused(o, err)
		if err == nil && !r.Empty && string(r.Body) != string(answerTo(k)) {
			o.Code, o.Error = check.CodeWrong, fmt.Sprintf("the answer is %q", r.Body[:min(len(r.Body), 100)])
		}
	})
	return err
}

// respond answers, mostly.
func (w *Request) respond(d *Delivery) {
	r := w.dice(d)
	d.Hold(time.Duration(r.IntN(10)) * time.Millisecond)
	var err error
	switch n := r.IntN(40); {
	case n == 0:
		err = d.Nack(context.Background(), client.ReasonMessage)
	case n == 1:
		err = d.Reject(context.Background())
	case n == 2 || !d.d.IsRequest:
		w.take(d)
	default:
		err = d.Reply(context.Background(), answerTo(d.Key))
	}
	if !errors.Is(err, client.ErrLeaseLost) {
		w.judge(err)
	}
}

func (w *Request) take(d *Delivery) { d.AckThen(func(err error) { w.judge(err, client.ErrLeaseLost) }) }

// Drain waits until every request is answered or dead.
func (w *Request) Drain(ctx context.Context, _ *Env) error {
	return w.drain(ctx, requestAgain, requestOnce, requestAgain+".dlq", requestOnce+".dlq")
}

// Checkers of the workload.
func (w *Request) Checkers(scale float64) []check.Checker {
	return []check.Checker{check.Requests{
		Workload: w.Name(), Again: requestAgain, Once: requestOnce,
		Floors: check.RequestsFloors{Answered: floor(500, scale), Once: floor(200, scale), Refused: floor(20, scale)},
	}}
}
