package client

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/ferrymq/ferrymq/transport"
)

// The manager's half of the session's life: open, attach, retry, expiry.

// bind opens or attaches the session on this link.
func (m *manager) bind(now time.Time) {
	s := m.session
	if s == nil { // no node has told a group yet: ask the next one
		m.dropLink(localError(transport.CodeNoLeader, "attach", m.link.hello.Node, "no group yet", nil), false, now)
		m.dialNext(now)
		return
	}
	m.control, m.answerBy = m.newStream(), now.Add(answerTimeout)
	if !s.opened {
		m.phase = phaseOpen
		open := transport.Open{Group: s.group, Session: s.id, Secret: s.secret, IdleExpiryMs: uint32(m.opts.sessionExpiry.Milliseconds())}
		m.send(transport.OpOpen, m.control, 0, open.AppendTo)
		return
	}
	m.phase = phaseAttach
	if taking := s.resumed && !s.used && s.epoch == 0; !m.epochSet && !taking {
		s.epoch++ // taking over begins below every epoch, to be told the current one
	}
	m.epochSet = true
	attach := transport.Attach{
		Handle: s.handle, Group: s.group, Session: s.id, Secret: s.secret,
		Epoch: s.epoch, Resume: s.resumed && !s.used, Tokens: m.tokens(),
	}
	m.send(transport.OpAttach, m.control, 9*len(attach.Tokens), attach.AppendTo)
}

// tokens are those of the leases held, ascending.
func (m *manager) tokens() []uint64 {
	var tokens []uint64
	for _, k := range m.consumers {
		tokens = k.tokens(tokens)
	}
	slices.Sort(tokens)
	return tokens[:min(len(tokens), transport.TokensMax)]
}

// bound takes the answer to Open or Attach.
func (m *manager) bound(r *transport.Result, hint *transport.GroupInfo, now time.Time) {
	opening := m.phase == phaseOpen
	m.control = 0
	s := m.session
	switch {
	case r.Code == transport.CodeOK && opening:
		s.opened = true
		m.bind(now)
	case r.Code == transport.CodeOK:
		m.attached(r.Value, now)
	case r.Code == transport.CodeSessionExpired && !opening:
		if s.resumed && !s.used {
			// It is gone, or never was: it begins anew, under the id that was asked for.
			s.opened, s.resumed, m.epochSet = false, false, false
			m.bind(now)
			return
		}
		m.sessionExpired(nil, now)
		m.bind(now)
	case r.Code == transport.CodeFenced && !opening && s.resumed && !s.used && r.Value >= s.epoch:
		s.epoch = above(r.Value) // the process that it is taken from
		m.bind(now)
	case r.Code == transport.CodeInvalid && !opening && s.epoch == 0:
		s.epoch = above(0) // opened, and never attached
		m.bind(now)
	case final(r.Code):
		m.refused(m.resultError("attach", "", r), now)
	default:
		m.retryAt = time.Time{}
		m.again(m.resultError("attach", m.link.hello.Node, r), millis(r.RetryAfterMs), hint, now)
	}
}

// above is an epoch for taking a session over. It leaves a random number out:
// whoever holds the session, or takes it over as well, raises the same one, and
// of two with the same epoch none would be fenced.
func above(epoch uint64) uint64 { return epoch + 2 + uint64(rand.Uint32()) }

// final tells that attaching will never succeed.
func final(code transport.Code) bool {
	switch code {
	case transport.CodeFenced, transport.CodeDenied, transport.CodeInvalid, transport.CodeUnsupported,
		transport.CodeTooLarge, transport.CodeMalformed, transport.CodeVersion:
		return true
	}
	return false
}

// attached lets operations flow: first all that are unanswered, in order,
// under their numbers.
func (m *manager) attached(judged uint64, now time.Time) {
	s := m.session
	first := !s.used
	s.used = true
	s.judged(judged)
	m.giveUpSent()
	s.rewind()
	m.askAll()
	m.phase, m.tries, m.redirects = phaseLive, 0, 0
	m.stalled(nil)
	m.hasLeader()
	for _, k := range m.consumers {
		k.attached(now)
	}
	m.out.keepBy(now) // leases may end sooner than was thought without a link
	if first {
		m.opts.logger.Info("session attached", "node", m.link.hello.Node, "epoch", s.epoch)
	} else {
		m.recheck()
		m.opts.logger.Info("session attached again", "node", m.link.hello.Node, "epoch", s.epoch,
			"unanswered", len(s.operations), "after", now.Sub(m.downAt))
	}
}

// reattach follows a change of leader that the node tells.
func (m *manager) reattach(payload []byte, now time.Time) {
	var r transport.Reattach
	if err := r.Decode(payload); err != nil {
		m.linkFailed(err, now)
		return
	}
	if m.session == nil || r.Group.Group != m.session.group || m.dead {
		return
	}
	m.redirects = 0
	if m.phase == phaseLive {
		m.downAt = now
	}
	if m.follow(r.Group, now) || m.phase == phaseIdle {
		return
	}
	m.leads(r.Group, now)
	if r.Group.Leader == "" {
		m.leaderLost(now)
		return
	}
	m.bind(now)
}

// leaderLost is for a node that tells that its leader is lost: it refuses
// everything until it knows another one.
func (m *manager) leaderLost(now time.Time) {
	m.noLeader(now)
	if m.phase == phaseLive { // else an attach is under way, and its answer comes
		m.retry(localError(transport.CodeNoLeader, "attach", m.link.hello.Node, "", nil), 0, now)
	}
}

// again attaches once more after a pause: at the leader if one is told, on
// this link, or after some tries somewhere else.
func (m *manager) again(err *Error, atLeast time.Duration, hint *transport.GroupInfo, now time.Time) {
	if m.phase == phaseLive {
		m.downAt = now
	}
	m.stalled(err)
	if hint != nil && m.session != nil && hint.Group == m.session.group && m.follow(*hint, now) {
		return
	}
	m.retry(err, atLeast, now)
}

func (m *manager) retry(err *Error, atLeast time.Duration, now time.Time) {
	switch {
	case withoutLeader(err.Code):
		m.noLeader(now)
	case err.Code != transport.CodeBusy: // elsewhere it would be, too
		m.tries++
	}
	if m.tries > attachTries && len(m.book.round("", now)) > 1 {
		m.dropLink(err, true, now)
		m.startRound("", now)
		return
	}
	m.stalled(err)
	m.phase = phaseRetry
	m.retryAt = now.Add(max(m.pause.NextBackOff(), atLeast))
}

// sessionExpired reports every unanswered operation, except that answered
// with it and never sent twice, as unknown, and begins a new session.
func (m *manager) sessionExpired(answered *operation, now time.Time) {
	s := m.session
	m.opts.logger.Warn("session expired", "unanswered", len(s.operations))
	for _, op := range s.operations {
		if op.answered {
			continue
		}
		p := op.payload
		if c, ok := p.(*control); ok && c.renew {
			continue // consumers are attached again below
		}
		code, wrapped := transport.CodeUnknownOutcome, error(ErrSessionExpired)
		if op == answered && op.sends == 1 {
			code, wrapped = transport.CodeSessionExpired, nil
		}
		m.finish(p, nil, localError(code, "", "", "", wrapped))
	}
	m.unawaitAll(ErrSessionExpired)
	m.session = newSession(s.group, s.handle+1, m.conn.renewIdentity())
	if group, ok := homeGroup(m.link.hello.Groups); ok {
		m.session.group = group.Group
	}
	m.epochSet = false
	err := localError(transport.CodeSessionExpired, "session", "", "", nil)
	for _, k := range m.consumers {
		k.expired(err)
		if k.wanted() {
			m.consume(k)
		}
	}
	m.conn.setState(Connected, err)
}

// refused ends the session for good: fenced, or its secret is wrong.
func (m *manager) refused(err *Error, now time.Time) {
	m.opts.logger.Error("session refused", "error", err)
	m.phase, m.dead = phaseIdle, true
	m.stalled(err)
	m.endSession(err)
	m.conn.setState(m.conn.State(), err)
}

// endSession ends every operation and consumer with err.
func (m *manager) endSession(err *Error) {
	m.out.close(err)
	if s := m.session; s != nil {
		for _, op := range s.operations {
			if op.answered {
				continue
			}
			unknown := localError(transport.CodeUnknownOutcome, "", "", "", err)
			p := op.payload
			s.streams = map[uint32]*operation{}
			op.answered, op.payload = true, nil
			m.finish(p, nil, unknown)
		}
		s.operations = nil
	}
	m.unawaitAll(err)
	for _, k := range m.consumers {
		k.end(err)
	}
}
