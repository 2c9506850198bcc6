package workload

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/jepsen/history"
)

const (
	// requestTimeout is short enough that a fault leaves operations with an
	// unknown outcome behind.
	requestTimeout = 10 * time.Second
	// dialPause is between two attempts to connect at all.
	dialPause = 200 * time.Millisecond
)

// Client is a connection that writes down what is done with it and what
// becomes of it. It is safe for concurrent use, but operations on queues, and
// publishes that wait, are made one at a time.
type Client struct {
	env      *Env
	workload string
	id       uint32
	conn     *client.Conn
	answers  *answers
	open     pending // asynchronous operations
	closing  sync.Once
}

// connect makes a client that begins at the i-th node. Every second one does
// not follow the leader, so that operations and deliveries go through nodes
// that do not lead. It tries until ctx ends.
func (e *Env) connect(ctx context.Context, workload string, i int, opts ...client.Option) (*Client, error) {
	c := &Client{env: e, workload: workload, id: e.Recorder.Client(), answers: newAnswers()}
	opts = append([]client.Option{
		client.WithName(fmt.Sprintf("%s-%d", workload, c.id)), client.WithFollowLeader(i%2 == 0),
		client.WithRequestTimeout(requestTimeout), client.WithAnswerFunc(c.answers.take),
		client.WithStateFunc(c.noteState),
	}, opts...)
	for {
		conn, err := e.Dial(ctx, i, opts...)
		if err == nil {
			c.conn = conn
			return c, nil
		}
		if !sleep(ctx, dialPause) {
			return nil, err
		}
	}
}

// noteState writes down the end of a session. It runs on the goroutine that
// runs the connection.
func (c *Client) noteState(_ client.State, err error) {
	if errors.Is(err, client.ErrSessionExpired) || errors.Is(err, client.ErrFenced) {
		c.gone(err.Error())
	}
}

func (c *Client) gone(why string) {
	c.env.Recorder.Event(history.Op{Client: c.id, Workload: c.workload, Kind: history.Gone, Error: why})
}

// close ends the connection and with it the session, and waits until every
// operation has its outcome. What others are given because of it comes later
// than the event.
func (c *Client) close() error {
	var err error
	c.closing.Do(func() {
		c.gone("")
		err = c.conn.Close()
	})
	c.open.wait()
	return err
}

// op begins an operation of this client.
func (c *Client) op(kind history.Kind, queue string) history.Op {
	return history.Op{Client: c.id, Workload: c.workload, Queue: queue, Kind: kind}
}

// sleep waits, and is false when ctx ends first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
