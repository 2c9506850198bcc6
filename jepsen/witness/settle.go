package witness

import "github.com/ferrymq/ferrymq/jepsen/history"

// settle judges each item for itself; ordered ones are all good or nothing
// happens.
func (m *model) settle(x *session, c *history.Command) (result, int) {
	switch {
	case len(c.Items) == 0:
		return refuse(codeInvalid), 1
	case len(c.Items) > itemsMax:
		return refuse(codeTooLarge), 1
	case c.Ordered:
		if v := m.judgeTogether(x, c.Items); !v.ok() {
			return result{verdict: v}, 1
		}
	}
	verdicts := make([]verdict, len(c.Items))
	for i := range c.Items {
		it := &c.Items[i]
		msg, v := m.judgeSettle(x, it)
		if v.ok() {
			m.settleOne(msg, it)
		}
		verdicts[i] = v
	}
	return combine(verdicts), len(verdicts)
}

// judgeTogether is the first refusal: what one item ends, none behind it can.
func (m *model) judgeTogether(x *session, items []history.Item) verdict {
	ended := map[*message]bool{}
	for i := range items {
		msg, v := m.judgeSettle(x, &items[i])
		if v.ok() && ended[msg] {
			v = verdict{codeLeaseLost, causeSettled}
		}
		if !v.ok() {
			return v
		}
		ended[msg] = items[i].Action != "extend"
	}
	return verdict{code: codeOK}
}

func (m *model) judgeSettle(x *session, it *history.Item) (*message, verdict) {
	switch it.Action {
	case "ack", "reject", "extend":
	case "nack":
		switch it.Reason {
		case "message", "downstream", "shutdown", "unstarted":
		default:
			return nil, verdict{code: codeInvalid}
		}
	default:
		return nil, verdict{code: codeInvalid}
	}
	q := m.queues[it.Incarnation]
	switch {
	case q == nil && (it.Incarnation == 0 || it.Incarnation > m.incarnations):
		return nil, verdict{codeLeaseLost, causeUnknownToken}
	case q == nil:
		return nil, verdict{codeLeaseLost, causeQueueGone}
	}
	msg := q.messages[it.Place]
	if msg == nil || msg.state != leased || msg.token != it.Token {
		return nil, verdict{codeLeaseLost, m.whyLost(q, msg, it)}
	}
	if msg.holder.session != x {
		return nil, verdict{codeLeaseLost, causeNotHolder}
	}
	return msg, verdict{code: codeOK}
}

// whyLost tells what became of a token. A message remembers its last lease
// only; of earlier ones no more is said than that somebody else has it.
func (m *model) whyLost(q *queue, msg *message, it *history.Item) string {
	switch {
	case it.Token == 0, it.Token > m.tokens, it.Place == 0, it.Place > q.places:
		return causeUnknownToken
	case msg == nil:
		return causeSettled
	case msg.state != waiting && msg.lastToken == it.Token:
		return msg.lastEnd
	case msg.state == leased:
		return causeNotHolder
	}
	return causeUnknownToken
}

func (m *model) settleOne(msg *message, it *history.Item) {
	e := ending{cause: causeSettled, by: it.Action}
	switch it.Action {
	case "extend":
		msg.deadline = m.lease + int64(msg.millis)
		msg.extended = true
		return
	case "ack":
		e.outcome = toDone
	case "nack":
		e.failed = it.Reason == "message"
	case "reject":
		e.outcome = toDead
	}
	m.endLease(msg, e)
}
