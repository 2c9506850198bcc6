package client

import (
	"context"
	"time"

	"github.com/ferrymq/ferrymq/transport"
)

const (
	// maxRequests bounds the reads and pings that are under way.
	maxRequests = 1024
	// requestRetry is the pause before a read is asked again.
	requestRetry = 100 * time.Millisecond
)

// request is a question outside of the session: a read, a change of the
// cluster, a ping. The manager owns it.
type request struct {
	op        transport.Op
	name      string
	resource  string
	body      func(group uint32) []byte // nil: empty
	repeat    bool                      // asking twice does no harm
	local     bool                      // answered by any node, with a leader or without
	sent      bool
	notBefore time.Time
	answer    chan response // holds one
	reason    error         // why it was asked again
}

type response struct {
	payload []byte
	err     error
}

// ask sends a request and waits for its answer.
func (c *Conn) ask(ctx context.Context, r *request) ([]byte, error) {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	r.answer = make(chan response, 1)
	if err := c.do(ctx, func(m *manager) { m.ask(r) }); err != nil {
		return nil, about(err, r.name, r.resource)
	}
	select {
	case a := <-r.answer:
		return a.payload, a.err
	case <-c.m.done:
		return nil, closedError(r.name, r.resource)
	case <-ctx.Done():
	}
	return nil, c.forget(ctx, r)
}

// forget takes a request back whose context ended.
func (c *Conn) forget(ctx context.Context, r *request) error {
	result := make(chan error, 1)
	err := c.do(context.WithoutCancel(ctx), func(m *manager) {
		for stream, other := range m.requests {
			if other == r {
				delete(m.requests, stream)
			}
		}
		for i, other := range m.asked {
			if other == r {
				m.asked = append(m.asked[:i], m.asked[i+1:]...)
				break
			}
		}
		code, reason := transport.CodeTimeout, r.reason
		if r.sent && !r.repeat {
			code, reason = transport.CodeUnknownOutcome, nil
		} else if reason == nil {
			reason = m.reason
		}
		result <- localError(code, r.name, r.resource, "", join(ctxError(ctx), reason))
	})
	if err != nil {
		return about(err, r.name, r.resource)
	}
	select {
	case err := <-result:
		return err
	case <-c.m.done:
		return closedError(r.name, r.resource)
	}
}

// ask takes a request in.
func (m *manager) ask(r *request) {
	if len(m.requests)+len(m.asked) >= maxRequests {
		r.answer <- response{err: localError(transport.CodeLimit, r.name, r.resource, "too many requests wait", nil)}
		return
	}
	m.asked = append(m.asked, r)
}

// pumpRequests sends the requests that are due.
func (m *manager) pumpRequests(now time.Time) {
	if m.link == nil || len(m.asked) == 0 {
		return
	}
	wait := m.asked[:0]
	for _, r := range m.asked {
		if now.Before(r.notBefore) || !m.link.hasRoom() {
			wait = append(wait, r)
			continue
		}
		stream := m.newStream()
		r.sent = true
		m.requests[stream] = r
		m.send(r.op, stream, 0, func(dst []byte) []byte {
			if r.body == nil {
				return dst
			}
			return append(dst, r.body(m.group())...)
		})
	}
	clear(m.asked[len(wait):])
	m.asked = wait
}

// replied takes the answer on a stream; it is false for a stream of no request.
func (m *manager) replied(in incoming, now time.Time) bool {
	r := m.requests[in.stream]
	if r == nil {
		return false
	}
	delete(m.requests, in.stream)
	if in.op != transport.OpError {
		if !r.local {
			m.hasLeader()
		}
		r.answer <- response{payload: in.payload}
		return true
	}
	var e transport.Error
	if err := e.Decode(in.payload); err != nil {
		r.answer <- response{err: about(err, r.name, r.resource)}
		return true
	}
	err := wireError(&e, r.name, r.resource, m.link.hello.Node)
	if withoutLeader(err.Code) {
		m.noLeader(now)
	}
	again := e.Retryable && (r.repeat || e.Code == transport.CodeNoLeader || e.Code == transport.CodeNotLeader)
	if !again {
		r.answer <- response{err: err}
		return true
	}
	r.reason, r.notBefore = err, now.Add(max(requestRetry, err.RetryAfter))
	m.asked = append(m.asked, r)
	return true
}

// requestsLost asks again what the lost link did not answer.
func (m *manager) requestsLost(err error) {
	for stream, r := range m.requests {
		delete(m.requests, stream)
		if r.repeat {
			m.asked = append(m.asked, r)
			continue
		}
		r.answer <- response{err: localError(transport.CodeUnknownOutcome, r.name, r.resource, "", err)}
	}
}

// requestsClosed ends every request.
func (m *manager) requestsClosed(err *Error) {
	for _, r := range m.requests {
		r.answer <- response{err: err.about(r.name, r.resource)}
	}
	for _, r := range m.asked {
		r.answer <- response{err: err.about(r.name, r.resource)}
	}
	m.requests, m.asked = map[uint32]*request{}, nil
}

// nextRequest is when a waiting request becomes due, zero for never. One that
// is due already waits for a link, or for room on it.
func (m *manager) nextRequest(now time.Time) (next time.Time) {
	for _, r := range m.asked {
		if now.Before(r.notBefore) && (next.IsZero() || r.notBefore.Before(next)) {
			next = r.notBefore
		}
	}
	return next
}

// group that requests are about, 0 until one is known.
func (m *manager) group() uint32 {
	if m.session == nil {
		return 0
	}
	return m.session.group
}
