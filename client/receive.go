package client

import (
	"time"

	"github.com/ferrymq/ferrymq/transport"
)

// The manager's half of what arrives.

func (m *manager) receive(in incoming, now time.Time) {
	if in.err != nil {
		m.linkFailed(in.err, now)
		return
	}
	switch in.op {
	case transport.OpEvents:
		m.events(in.events, now)
		*in.events = transport.Events{
			Results: in.events.Results[:0], Deliveries: in.events.Deliveries[:0], Closed: in.events.Closed[:0],
			Answers: in.events.Answers[:0],
		}
		eventPool.Put(in.events)
	case transport.OpPong, transport.OpQueryReply:
		m.replied(in, now)
	case transport.OpError:
		m.errorFrame(in, now)
	case transport.OpReattach:
		m.reattach(in.payload, now)
	case transport.OpGoAway:
		m.goneAway(in.payload, now)
	default: // a later version's: nothing that this one asked for
		m.opts.logger.Debug("frame ignored", "op", in.op.String())
	}
}

// events takes everything that one entry has for this connection. Results
// come first: what they end makes room for the deliveries.
func (m *manager) events(e *transport.Events, now time.Time) {
	for i := range e.Results {
		m.result(&e.Results[i], nil, now)
		if m.link == nil {
			return // a result can end the link
		}
	}
	m.answers(e.Answers)
	for i := range e.Deliveries {
		m.deliver(&e.Deliveries[i], now)
	}
	for i := range e.Closed {
		m.closed(&e.Closed[i], now)
	}
}

// errorFrame is about one stream, or with stream 0 the end of the link.
func (m *manager) errorFrame(in incoming, now time.Time) {
	if in.stream != 0 && m.replied(in, now) {
		return
	}
	var e transport.Error
	if err := e.Decode(in.payload); err != nil {
		m.linkFailed(err, now)
		return
	}
	if in.stream == 0 {
		m.linkFailed(wireError(&e, "connection", "", m.link.hello.Node), now)
		return
	}
	r := transport.Result{Stream: in.stream, Code: e.Code, RetryAfterMs: e.RetryAfterMs, Detail: e.Message}
	m.result(&r, e.Leader, now)
}

func (m *manager) result(r *transport.Result, hint *transport.GroupInfo, now time.Time) {
	if m.control != 0 && r.Stream == m.control {
		m.bound(r, hint, now)
		return
	}
	if m.session == nil {
		return
	}
	if w := m.asking[r.Stream]; w != nil {
		delete(m.asking, r.Stream)
		m.askedFor(w, r, hint, now)
		return
	}
	op := m.session.streams[r.Stream]
	if op == nil {
		return // sent again since, on another stream, or abandoned
	}
	m.judge(op, r, hint, now)
}

// judge does what the answer to an operation asks for.
func (m *manager) judge(op *operation, r *transport.Result, hint *transport.GroupInfo, now time.Time) {
	switch {
	case r.Code == transport.CodeOvertaken && !sentOnce(op.payload):
		// Certainly never applied: it goes again, under a new number.
		p := op.payload
		m.session.answer(op)
		m.session.add(p)
	case r.Code == transport.CodeAlreadyDone:
		m.end(op, nil, localError(transport.CodeUnknownOutcome, "", "", "", ErrAlreadyDone))
	case r.Code == transport.CodeSessionExpired:
		m.sessionExpired(op, now)
		m.bind(now)
	case r.Code == transport.CodeFenced:
		m.refused(m.resultError("session", "", r), now)
	case askAgain(op, r):
		if sentOnce(op.payload) {
			m.end(op, r, nil)
		}
		// Other answers of the same upset: one is enough.
		if m.phase == phaseLive {
			m.tries = 0
			m.again(m.resultError("operation", m.link.hello.Node, r), millis(r.RetryAfterMs), hint, now)
		}
	case outside(r) && op.sends > 1:
		// Definite only for a number that was never sent before.
		refused := m.resultError("", "", r)
		m.end(op, nil, localError(transport.CodeUnknownOutcome, "", "", "", refused))
	default:
		m.pause.Reset()
		m.hasLeader()
		m.end(op, r, nil)
	}
}

// askAgain tells that the answer leaves open what became of the operation, or
// that the same number may come again.
func askAgain(op *operation, r *transport.Result) bool {
	switch r.Code {
	case transport.CodeUnknownOutcome, transport.CodeNoLeader, transport.CodeNotLeader,
		transport.CodeShuttingDown, transport.CodeTimeout, transport.CodeInternal:
		return true
	case transport.CodeBusy:
		// A refusal from outside the machine is definite only for a number
		// that was never sent before. And only what carries messages is tried
		// again by whoever asked for it.
		return r.Cause == transport.CauseWindow || outside(r) && (op.sends > 1 || !triedAgain(op.payload))
	}
	return false
}

// triedAgain tells that whoever asked for the operation tries again, under a
// new number, when it is refused as busy.
func triedAgain(p payload) bool {
	switch p := p.(type) {
	case *batch, unconfirmed:
		return true
	case *control:
		return p.again
	}
	return false
}

// outside tells a refusal that no state machine gave: it took effect nowhere.
func outside(r *transport.Result) bool {
	return r.Index == 0 && len(r.Items) == 0 && !r.Code.Accepted()
}

// end takes the operation out of the table and tells whoever waits.
func (m *manager) end(op *operation, r *transport.Result, err *Error) {
	p := op.payload
	m.session.answer(op)
	m.traced(op, p, r)
	m.finish(p, r, err)
}

// finish tells a payload's users its result, or err.
func (m *manager) finish(p payload, r *transport.Result, err *Error) {
	node := ""
	if m.link != nil {
		node = m.link.hello.Node
	}
	if u, ok := p.(unconfirmed); ok {
		p = u.batch
	}
	switch p := p.(type) {
	case *batch:
		if err != nil {
			err = err.about("publish", p.lane.queue)
		}
		m.out.finish(p, r, m.session.group, node, err)
	case *settleBatch:
		m.out.finishSettles(p, r, node, err)
	case *control:
		p.group = m.session.group
		if err == nil && !r.Code.Accepted() {
			err = verdictError(p.name, p.resource, node,
				transport.Verdict{Code: r.Code, Cause: r.Cause, RetryAfterMs: r.RetryAfterMs}, r.Detail)
		} else if err != nil {
			err = err.about(p.name, p.resource)
		}
		p.end(r, err)
	}
}

func (m *manager) resultError(op, resource string, r *transport.Result) *Error {
	node := ""
	if m.link != nil {
		node = m.link.hello.Node
	}
	return verdictError(op, resource, node,
		transport.Verdict{Code: r.Code, Cause: r.Cause, RetryAfterMs: r.RetryAfterMs}, r.Detail)
}
