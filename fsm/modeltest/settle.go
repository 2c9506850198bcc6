package modeltest

import (
	"slices"

	"github.com/ferrymq/ferrymq/fsm"
)

// settle judges deliveries one by one, in order.
func (m *Model) settle(x *fsm.Settle) Outcome {
	s, n := m.sessions[x.Session], len(x.Items)
	switch {
	case n == 0:
		return answer(fsm.Invalid)
	case n > fsm.MaxItems:
		return answer(fsm.TooLarge)
	case x.Ordered:
		if v := m.firstRefused(s, x.Items); v.Code != fsm.OK {
			return Outcome{Code: v.Code, Cause: v.Cause}
		}
	}
	items := make([]fsm.Verdict, n)
	for i, it := range x.Items {
		var held *message
		if held, items[i] = m.judgeSettle(s, it); held != nil {
			m.settleOne(held, it)
		}
	}
	return Outcome{Items: items}
}

// firstRefused finds what forbids to carry out all of the items.
func (m *Model) firstRefused(s *session, items []fsm.SettleItem) fsm.Verdict {
	ended := map[*message]bool{}
	for _, it := range items {
		held, v := m.judgeSettle(s, it)
		if v.Code != fsm.OK {
			return v
		}
		if ended[held] {
			return fsm.Verdict{Code: fsm.LeaseLost, Cause: fsm.CauseSettled}
		}
		ended[held] = it.Action != fsm.ActionExtend
	}
	return fsm.Verdict{}
}

func (m *Model) judgeSettle(s *session, it fsm.SettleItem) (*message, fsm.Verdict) {
	switch {
	case it.Action < fsm.ActionAck || it.Action > fsm.ActionExtend,
		it.Action == fsm.ActionNack && (it.Reason < fsm.ReasonMessage || it.Reason > fsm.ReasonUnstarted),
		it.Action == fsm.ActionNack && it.DelayMillis > fsm.MaxRetryMillis:
		return nil, fsm.Verdict{Code: fsm.Invalid}
	}
	held, cause := m.lookup(s, it)
	if held == nil {
		return nil, fsm.Verdict{Code: fsm.LeaseLost, Cause: cause}
	}
	return held, fsm.Verdict{}
}

func (m *Model) settleOne(held *message, it fsm.SettleItem) {
	e := ending{why: fsm.CauseSettled, note: it.Error}
	switch it.Action {
	case fsm.ActionExtend:
		held.extended = true
		held.deadline = m.clock.LeaseMillis + held.length
		return
	case fsm.ActionAck:
		e.to, e.outcome = done, succeeded
	case fsm.ActionReject:
		e.to, e.outcome, e.tried = dead, failed, true
	case fsm.ActionNack:
		e.tried = it.Reason < fsm.ReasonShutdown
		e.lost = it.Reason == fsm.ReasonShutdown
		e.again, e.delay = e.tried, int64(it.DelayMillis)
		switch it.Reason {
		case fsm.ReasonMessage:
			e.failed, e.outcome = true, failed
		case fsm.ReasonDownstream:
			e.outcome = downstream
		}
	}
	m.endLease(held, e)
}

// lookup finds the lease that an item names, or why it is not this session's.
func (m *Model) lookup(s *session, it fsm.SettleItem) (*message, fsm.Cause) {
	q := m.incarnations[it.Incarnation]
	switch {
	case it.Incarnation == 0 || it.Incarnation > m.incarnation:
		return nil, fsm.CauseUnknownToken
	case q == nil || q.gone: // or it is a topic
		return nil, fsm.CauseQueueGone
	case it.Token == 0 || it.Token > m.token || it.Place == 0 || it.Place > q.places:
		return nil, fsm.CauseUnknownToken
	}
	msg := q.find(it.Place)
	switch {
	case msg == nil && slices.Contains(q.recalled, it.Token):
		return nil, fsm.CauseRequeued
	case msg == nil:
		return nil, fsm.CauseSettled
	case msg.status == leased && msg.token == it.Token && msg.holder.session != s:
		return nil, fsm.CauseNotHolder
	case msg.status == leased && msg.token == it.Token:
		return msg, fsm.CauseNone
	case msg.last == it.Token:
		return nil, msg.lastEnd
	case msg.status == leased:
		return nil, fsm.CauseNotHolder
	}
	return nil, fsm.CauseUnknownToken
}
