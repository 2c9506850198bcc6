package client

import (
	"errors"
	"slices"
	"time"

	"github.com/ferrymq/ferrymq/transport"
)

// recheckRetry is the pause after a check that could not be finished.
const recheckRetry = time.Second

// recheck finds out, after the session was attached again, which consumers have
// ended meanwhile. That a queue was deleted is told once, to a session that is
// attached, over a link that holds; who missed it would wait for messages for
// ever, although the queue was made again. A consumer belongs to one
// incarnation of its queue, so a look at the queues tells.
func (m *manager) recheck() {
	if m.rechecking {
		m.recheckAgain = true
		return
	}
	if len(m.bindings()) == 0 {
		return
	}
	m.rechecking = true
	c := m.conn
	c.goroutines.Go(func() {
		for c.recheck() {
			select {
			case <-time.After(recheckRetry):
			case <-c.ctx.Done():
				return
			}
		}
	})
}

// binding is a consumer and the incarnation of the queue that it was attached to.
type binding struct {
	k           *Consumer
	incarnation uint64
}

// bindings of the consumers that are to go on, by queue.
func (m *manager) bindings() map[string][]binding {
	all := map[string][]binding{}
	for _, k := range m.consumers {
		if k.incarnation != 0 && k.wanted() {
			all[k.queue] = append(all[k.queue], binding{k, k.incarnation})
		}
	}
	return all
}

// recheck is one round; it tells whether another one is needed.
func (c *Conn) recheck() (again bool) {
	found := make(chan map[string][]binding, 1)
	if err := c.do(c.ctx, func(m *manager) {
		m.recheckAgain = false
		found <- m.bindings()
	}); err != nil {
		return false
	}
	var bindings map[string][]binding
	select {
	case bindings = <-found:
	case <-c.m.done:
		return false
	}
	for queue, bound := range bindings {
		info, err := c.Queue(c.ctx, queue)
		switch {
		case errors.Is(err, ErrNotFound):
			info.Incarnation = 0
		case err != nil:
			again = true
			continue
		}
		bound = slices.DeleteFunc(bound, func(b binding) bool { return b.incarnation == info.Incarnation })
		if len(bound) == 0 {
			continue
		}
		if err := c.do(c.ctx, func(m *manager) { m.endMissed(bound) }); err != nil {
			return false
		}
	}
	over := make(chan bool, 1)
	if err := c.do(c.ctx, func(m *manager) {
		m.rechecking = again || m.recheckAgain
		over <- m.rechecking
	}); err != nil {
		return false
	}
	select {
	case again = <-over:
		return again
	case <-c.m.done:
		return false
	}
}

// endMissed ends consumers whose queue is not the one any more that they were
// attached to.
func (m *manager) endMissed(gone []binding) {
	for _, b := range gone {
		if m.consumers[b.k.number] == b.k && b.k.incarnation == b.incarnation {
			b.k.end(localError(transport.CodeNotFound, "consume", b.k.queue, "", nil))
		}
	}
}
