package client

import (
	"context"
	"slices"
	"time"

	"github.com/ferrymq/ferrymq/transport"
)

// The manager's half of requests: which answers are waited for. A group keeps an
// answer until its request's deadline, and tells it while the session is
// attached. So after every attach the manager asks for those that it may have
// missed.

// awaited is a request whose answer is waited for. The manager owns it.
type awaited struct {
	queue    string
	deadline time.Time
	number   uint64        // of its operation; 0 before it was sent
	stored   bool          // the operation was accepted
	over     bool          // nobody waits any more
	taken    []uint64      // answers that it tells the group of
	session  *session      // which they are of; nil before it was sent
	answer   chan answered // holds one
}

// answered is how a request ended.
type answered struct {
	response *Response
	err      *Error
}

func (a answered) error() error {
	if a.err == nil {
		return nil
	}
	return a.err
}

// await notes the number that a request is sent under: another one after it was
// overtaken.
func (m *manager) await(w *awaited, number uint64) {
	if w.session == nil {
		w.session, w.taken = m.session, m.session.tellAnswers()
	}
	if w.over || w.number == number {
		return
	}
	delete(m.awaited, w.number)
	w.number = number
	m.awaited[number] = w
}

// stored notes the outcome of a request's operation. If that was sent more than
// once, the answer may have come and been missed.
func (m *manager) stored(w *awaited, again bool, err *Error) {
	switch {
	case err != nil:
		if w.session == m.session {
			m.session.gotAnswer(w.taken...) // it may not have been judged
		}
		m.unawait(w)
	case !w.over:
		w.stored = true
		if again {
			m.toAsk = append(m.toAsk, w)
		}
	}
}

func (m *manager) unawait(w *awaited) {
	w.over = true
	if m.awaited[w.number] == w {
		delete(m.awaited, w.number)
	}
}

// answerTo tells whoever waits.
func (m *manager) answerTo(w *awaited, a answered) {
	if !w.over {
		m.unawait(w)
		w.answer <- a
	}
}

// forgetAwaited takes a request out of the table whose user went away.
func (c *Conn) forgetAwaited(w *awaited) {
	over := make(chan struct{})
	// Closed: the manager is gone and with it the table.
	if err := c.do(context.Background(), func(m *manager) { m.unawait(w); close(over) }); err != nil {
		return
	}
	select {
	case <-over:
	case <-c.m.done:
	}
}

// answers takes the answers to requests.
func (m *manager) answers(all []transport.Answer) {
	for i := range all {
		in := &all[i]
		if m.session == nil || in.Handle != m.session.handle {
			continue // of a session that expired
		}
		m.session.gotAnswer(in.Number)
		if w := m.awaited[in.Number]; w != nil {
			m.answerTo(w, m.answerOf(w, in))
		}
	}
}

// answerOf is how the request ended.
func (m *manager) answerOf(w *awaited, in *transport.Answer) answered {
	if in.Code != transport.CodeOK {
		r := transport.Result{Code: in.Code}
		return answered{err: m.resultError("request", w.queue, &r)}
	}
	if len(in.Record) == 0 {
		return answered{response: &Response{Empty: true}}
	}
	message, _, err := messageOf(in.Record)
	if err != nil {
		return answered{err: localError(transport.CodeMalformed, "request", w.queue, "the answer", err)}
	}
	return answered{response: &Response{Message: message, ID: MessageID{in.Group, in.Index, in.Position}}}
}

// askAll has every answer asked for, after an attach.
func (m *manager) askAll() {
	clear(m.asking)
	m.toAsk = m.toAsk[:0]
	for _, w := range m.awaited {
		if w.stored {
			m.toAsk = append(m.toAsk, w)
		}
	}
	slices.SortFunc(m.toAsk, func(a, b *awaited) int { return int(int64(a.number - b.number)) })
}

// pumpAwaits asks for answers. It is false when the link has no room.
func (m *manager) pumpAwaits() bool {
	for len(m.toAsk) > 0 {
		if !m.link.hasRoom() {
			return false
		}
		w := m.toAsk[0]
		m.toAsk[0] = nil
		m.toAsk = m.toAsk[1:]
		if w.over {
			continue
		}
		stream := m.newStream()
		m.asking[stream] = w
		await := transport.Await{Handle: m.session.handle, Number: w.number}
		m.send(transport.OpAwait, stream, 0, await.AppendTo)
	}
	return true
}

// askedFor takes the result of an Await: an answer, if there is one, comes by itself.
func (m *manager) askedFor(w *awaited, r *transport.Result, hint *transport.GroupInfo, now time.Time) {
	switch r.Code {
	case transport.CodeOK:
	case transport.CodeNotFound:
		code, detail := transport.CodeUnknownOutcome, "the group does not know the request any more"
		if !now.Before(w.deadline) {
			code, detail = transport.CodeExpired, ""
		}
		m.answerTo(w, answered{err: localError(code, "request", w.queue, detail, nil)})
	case transport.CodeSessionExpired:
		m.sessionExpired(nil, now)
		m.bind(now)
	case transport.CodeFenced:
		m.refused(m.resultError("session", "", r), now)
	case transport.CodeInvalid, transport.CodeUnsupported, transport.CodeDenied:
		m.answerTo(w, answered{err: localError(transport.CodeUnknownOutcome, "request", w.queue, "",
			m.resultError("request", w.queue, r))})
	default: // all are asked for again after the next attach
		if m.phase == phaseLive {
			m.tries = 0
			m.again(m.resultError("request", m.link.hello.Node, r), millis(r.RetryAfterMs), hint, now)
		}
	}
}

// unawaitAll ends every request that is stored: the session that it belongs to
// is gone. The others end with their operations.
func (m *manager) unawaitAll(why error) {
	for _, w := range m.awaited {
		m.answerTo(w, answered{err: localError(transport.CodeUnknownOutcome, "request", w.queue, "", why)})
	}
	clear(m.asking)
	m.toAsk = nil
}
