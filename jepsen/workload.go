package jepsen

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ferrymq/ferrymq/client"
)

// Workload is traffic through one queue, written down in a history.
type Workload struct {
	Queue     string
	Producers int
	Consumers int
	// BodyBytes of each message, its key included.
	BodyBytes int
	// Burst messages leave each producer every Every.
	Burst int
	Every time.Duration
	// Hold is how long a consumer keeps a message before it acks it.
	Hold time.Duration
	// NackEvery hands each NackEvery-th message back at its first delivery; 0: none.
	NackEvery uint64
	// Options for every client, besides the workload's own.
	Options []client.Option
}

// URLs gives the URL of the i-th client.
type URLs interface{ URL(i int) string }

// Traffic is a running workload.
type Traffic struct {
	w       Workload
	history *History

	stopProducing context.CancelFunc
	producing     sync.WaitGroup
	stopConsuming context.CancelFunc
	consuming     sync.WaitGroup

	mu   sync.Mutex
	errs []error
}

// prefetch lets every consumer hold what arrives in its hold time, and more.
const prefetch = 1024

// StartTraffic connects every client and starts. Every second client of each
// kind does not follow the leader, so that operations and deliveries go
// through nodes that do not lead. The queue has to exist.
func StartTraffic(ctx context.Context, urls URLs, w Workload, h *History) (*Traffic, error) {
	t := &Traffic{w: w, history: h}
	produce, stopProducing := context.WithCancel(ctx)
	consume, stopConsuming := context.WithCancel(ctx)
	t.stopProducing, t.stopConsuming = stopProducing, stopConsuming
	for i := range w.Consumers {
		c, err := t.dial(ctx, urls, i, "consumer")
		if err != nil {
			return nil, errors.Join(err, t.abort())
		}
		t.consuming.Go(func() { t.consume(consume, uint32(i), c) })
	}
	for i := range w.Producers {
		c, err := t.dial(ctx, urls, i, "producer")
		if err != nil {
			return nil, errors.Join(err, t.abort())
		}
		t.producing.Go(func() { t.produce(produce, uint32(i), c) })
	}
	return t, nil
}

func (t *Traffic) dial(ctx context.Context, urls URLs, i int, kind string) (*client.Conn, error) {
	options := append([]client.Option{
		client.WithName(fmt.Sprintf("%s-%d", kind, i)), client.WithFollowLeader(i%2 == 0),
	}, t.w.Options...)
	return client.Dial(ctx, urls.URL(i), options...)
}

func (t *Traffic) fail(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.errs = append(t.errs, err)
}

func (t *Traffic) abort() error {
	t.stopProducing()
	t.stopConsuming()
	t.producing.Wait()
	t.consuming.Wait()
	return errors.Join(t.errs...)
}

// StopProducing ends the producers and waits until each of their publishes is
// answered.
func (t *Traffic) StopProducing() error {
	t.stopProducing()
	t.producing.Wait()
	t.mu.Lock()
	defer t.mu.Unlock()
	return errors.Join(t.errs...)
}

// StopConsuming ends the consumers, after every ack they have sent is
// answered, and tells what went wrong with any client.
func (t *Traffic) StopConsuming() error {
	t.stopConsuming()
	t.consuming.Wait()
	t.mu.Lock()
	defer t.mu.Unlock()
	return errors.Join(t.errs...)
}

// produce publishes bursts until its context ends.
func (t *Traffic) produce(ctx context.Context, producer uint32, c *client.Conn) {
	defer t.close(c)
	var answers sync.WaitGroup
	defer answers.Wait()
	padding := bytes.Repeat([]byte{'.'}, t.w.BodyBytes)
	tick := time.NewTicker(t.w.Every)
	defer tick.Stop()
	for seq := uint64(1); ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for range t.w.Burst {
			k := Key{Producer: producer, Seq: seq}
			seq++
			if !t.publish(c, k, padding, &answers) {
				return
			}
		}
	}
}

// publish sends one message; it blocks while the client's window is full. The
// publish is not cancelled with the traffic: its answer is wanted.
func (t *Traffic) publish(c *client.Conn, k Key, padding []byte, answers *sync.WaitGroup) bool {
	body := append([]byte(k.String()), ' ')
	body = append(body, padding[:max(0, t.w.BodyBytes-len(body))]...)
	t.history.Attempt(k)
	answers.Add(1)
	done := func(r client.Receipt, err error) {
		defer answers.Done()
		t.history.Published(k, OutcomeOf(err), idOf(r, err))
	}
	err := c.PublishAsync(context.Background(), t.w.Queue, client.Message{Body: body}, done)
	if err != nil {
		answers.Done()
		t.history.Published(k, OutcomeOf(err), "")
		t.fail(fmt.Errorf("producer %d: %w", k.Producer, err))
	}
	return err == nil
}

// OutcomeOf classifies an answer: whatever the client does not call unknown is
// a promise that nothing happened, and is held to it.
func OutcomeOf(err error) Outcome {
	switch {
	case err == nil:
		return Confirmed
	case errors.Is(err, client.ErrUnknownOutcome):
		return Unknown
	}
	return Failed
}

func idOf(r client.Receipt, err error) string {
	if err != nil {
		return ""
	}
	return r.ID.String()
}

func (t *Traffic) close(c *client.Conn) {
	if err := c.Close(); err != nil && !errors.Is(err, client.ErrClosed) {
		t.fail(err)
	}
}
