package client

import (
	"context"
	"errors"
	"sync"

	"github.com/ferrymq/ferrymq/transport"
)

// maxInboxes bounds the queues that a connection gets durable replies from.
const maxInboxes = 64

// inbox is a queue that durable replies come through, and the requests that
// wait for one, by correlation id.
type inbox struct {
	ready chan struct{} // closed when k or err is set
	k     *Consumer
	err   error

	mu      sync.Mutex
	waiting map[string]chan *Response
}

// inboxes of a connection.
type inboxes struct {
	mu      sync.Mutex
	byQueue map[string]*inbox
}

var errNobodyWaits = errors.New("nobody waits for this answer any more")

// inbox returns the inbox of a queue, and begins to consume it if that has not
// begun or has ended since.
func (c *Conn) inbox(ctx context.Context, queue string) (*inbox, error) {
	in, err := c.openInbox(queue)
	if err != nil {
		return nil, err
	}
	select {
	case <-in.ready:
		return in, in.err
	case <-ctx.Done():
		return nil, localError(transport.CodeTimeout, "request", queue, "", ctxError(ctx))
	}
}

func (c *Conn) openInbox(queue string) (*inbox, error) {
	all := &c.inboxes
	all.mu.Lock()
	defer all.mu.Unlock()
	for name, in := range all.byQueue {
		if in.ended() {
			delete(all.byQueue, name)
		}
	}
	if in := all.byQueue[queue]; in != nil {
		return in, nil
	}
	if len(all.byQueue) >= maxInboxes {
		return nil, localError(transport.CodeLimit, "request", queue, "too many queues for durable replies", nil)
	}
	in := &inbox{ready: make(chan struct{}), waiting: map[string]chan *Response{}}
	if all.byQueue == nil {
		all.byQueue = map[string]*inbox{}
	}
	all.byQueue[queue] = in
	open := func() { // ends with the connection at the latest
		in.k, in.err = c.Consume(c.ctx, queue, in.take)
		close(in.ready)
	}
	// The manager, which Close waits for, adds to what it waits for.
	if err := c.do(c.ctx, func(m *manager) { m.conn.goroutines.Go(open) }); err != nil {
		in.err = err
		close(in.ready)
	}
	return in, nil
}

// ended tells that the inbox consumes nothing any more.
func (in *inbox) ended() bool {
	select {
	case <-in.ready:
	default:
		return false
	}
	if in.err != nil {
		return true
	}
	select {
	case <-in.k.Done():
		return true
	default:
		return false
	}
}

// take hands an answer to who waits for it.
func (in *inbox) take(_ context.Context, d *Delivery) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	to := in.waiting[d.CorrelationID]
	if to == nil {
		return Permanent(errNobodyWaits)
	}
	delete(in.waiting, d.CorrelationID)
	to <- &Response{Message: d.Message, ID: d.ID} // holds one
	return nil
}

// expect has an answer waited for. The id must be unique among those.
func (in *inbox) expect(correlation string) (chan *Response, error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.waiting[correlation] != nil {
		return nil, localError(transport.CodeConflict, "request", "", "another request has this correlation id", nil)
	}
	to := make(chan *Response, 1)
	in.waiting[correlation] = to
	return to, nil
}

func (in *inbox) forget(correlation string) {
	in.mu.Lock()
	defer in.mu.Unlock()
	delete(in.waiting, correlation)
}
