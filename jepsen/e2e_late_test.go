//go:build linux

package jepsen

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ferrymq/ferrymq/client"
)

// latecomer commits each of its messages too late the first time: the commit
// is held back on its way until the lease is over and the message was handed
// out again, to the same session. So its token, and nothing else about it, is
// stale, and its client could not know that when it sent it.
type latecomer struct {
	*scene
	queue  string
	pass   func(*client.Conn, *client.Delivery) error
	conn   *client.Conn
	link   heldLink
	second chan string   // messages that were handed out again
	told   chan struct{} // the first commit was answered
	passed chan string   // messages that were passed on
	stale  atomic.Int64  // commits that were refused
}

func (s *scene) latecomer(queue string, pass func(*client.Conn, *client.Delivery) error, opts ...client.Option) *latecomer {
	s.t.Helper()
	l := &latecomer{scene: s, queue: queue, pass: pass,
		second: make(chan string, 1), told: make(chan struct{}, 1), passed: make(chan string, 1)}
	l.conn = s.connect(2, append(opts, client.WithDialer(l.link.dial))...)
	s.consume(l.conn, queue, func(ctx context.Context, d *client.Delivery) error {
		if d.Attempt == 1 {
			return l.first(d)
		}
		if d.Attempt == 2 {
			l.second <- string(d.Body)
			select {
			case <-l.told:
			case <-l.ctx.Done():
			}
		}
		return l.again(d, pass(l.conn, d))
	}, client.WithConcurrency(3), client.WithPrefetch(3), client.WithAutoExtend(false))
	return l
}

// first commits on a link that is held. If a leader dies meanwhile the session
// has to attach again, on that link, before its leases go on: then the commit
// may come in time.
func (l *latecomer) first(d *client.Delivery) error {
	l.link.hold()
	answer := make(chan error, 1)
	go func() { answer <- l.pass(l.conn, d) }()
	deaths, second := l.deaths(), false
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !second && len(answer) == 0 && l.deaths() == deaths && l.ctx.Err() == nil {
		select {
		case <-l.second:
			second = true
		case <-tick.C:
		}
	}
	l.link.release()
	err := <-answer
	switch {
	case !second:
	case err == nil:
		l.t.Errorf("%s was committed with the token of a lease that was over, and another begun", d.Body)
	case errors.Is(err, client.ErrLeaseLost):
		l.stale.Add(1)
	}
	l.told <- struct{}{}
	return l.again(d, err)
}

// again tells of a message that was passed on.
func (l *latecomer) again(d *client.Delivery, err error) error {
	if err == nil {
		l.passed <- string(d.Body)
	}
	return err
}

// produce publishes one message at a time, until enough.
func (l *latecomer) produce(producer *client.Conn, sent *ledger, enough func() bool) {
	for i := range l.work(20, enough) {
		for len(l.told) > 0 {
			<-l.told
		}
		for len(l.second) > 0 {
			<-l.second
		}
		text := fmt.Sprintf("late-%d", i)
		_, err := producer.Publish(l.ctx, l.queue, client.Message{Body: []byte(text)})
		sent.note(text, err)
		if err != nil {
			continue
		}
		select {
		case got := <-l.passed:
			require.Equal(l.t, text, got)
		case <-l.ctx.Done():
			l.t.Errorf("waiting for %s: %v", text, l.ctx.Err())
		}
	}
}

// heldLink is a client's way to its node, on which nothing is sent while it is
// held. A new link is free.
type heldLink struct {
	mu   sync.Mutex
	free chan struct{} // closed by release; nil while it is free
}

func (h *heldLink) hold() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.free == nil {
		h.free = make(chan struct{})
	}
}

func (h *heldLink) release() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.free != nil {
		close(h.free)
		h.free = nil
	}
}

func (h *heldLink) dial(ctx context.Context, addr string) (net.Conn, error) {
	h.release()
	c, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	return heldConn{c, h}, nil
}

type heldConn struct {
	net.Conn
	link *heldLink
}

func (c heldConn) Write(b []byte) (int, error) {
	c.link.mu.Lock()
	free := c.link.free
	c.link.mu.Unlock()
	if free != nil {
		<-free
	}
	return c.Conn.Write(b)
}
