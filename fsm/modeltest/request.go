package modeltest

import (
	"slices"

	"github.com/ferrymq/ferrymq/fsm"
)

// request is what a session waits for, and after it was answered, the answer,
// until its deadline or until the session says that it has it.
type request struct {
	code     fsm.Code // of the answer
	number   uint64
	id       fsm.ID // of the message
	deadline int64
	answered bool
	answerID fsm.ID
	body     []byte // nil: none
}

// ask publishes a request.
func (m *Model) ask(x *fsm.Request, c Command, got fsm.Result) Outcome {
	q, s := m.queues[x.Queue], m.sessions[x.Session]
	if len(x.Taken) > fsm.MaxTaken {
		return answer(fsm.Invalid)
	}
	for _, number := range x.Taken {
		if r := s.requests[number]; r != nil && r.answered {
			delete(s.requests, number)
		}
	}
	switch {
	case q == nil && m.topics[x.Queue] == nil:
		return answer(fsm.NotFound)
	case q == nil, q.dlq == nil, c.Broken, len(c.Drafts) != 1:
		return answer(fsm.Invalid)
	}
	d, to := c.Drafts[0], target{queue: q}
	if code := m.fault(to, d); code != fsm.OK {
		return answer(code)
	}
	wall := m.clock.WallMillis
	switch {
	case d.Deadline == 0, d.Deadline > uint64(wall+fsm.MaxRequestMillis):
		return answer(fsm.Invalid)
	case d.Deadline <= uint64(wall):
		return answer(fsm.Expired)
	case d.readyAt(wall) >= int64(d.Deadline):
		return answer(fsm.Invalid)
	case !q.attended():
		return answer(fsm.NoResponders)
	case len(s.requests) >= fsm.MaxRequests:
		return busy(fsm.CauseRequests)
	}
	id := fsm.ID{Group: m.group, Index: m.index, Position: got.Position}
	v, _ := m.arrive(to, d, id)
	if v.Code == fsm.OK {
		msg := q.messages[len(q.messages)-1]
		msg.request, msg.noRetry = true, x.NoRetry
		if deadline := int64(d.Deadline); msg.expires == 0 || deadline < msg.expires {
			msg.expires = deadline
		}
		s.requests[x.Number] = &request{number: x.Number, id: id, deadline: int64(d.Deadline)}
	}
	return m.whole(Outcome{Items: []fsm.Verdict{v}}, nil)
}

// attended: a consumer is there that would get the request.
func (q *queue) attended() bool {
	return slices.ContainsFunc(q.consumers, func(c *consumer) bool { return c.session.attached() && !c.closing })
}

// requestOf finds the request that waits for a message, and whose it is.
func (m *Model) requestOf(msg *message) (*request, *session) {
	if !msg.request {
		return nil, nil
	}
	for _, s := range m.sessionList() {
		for _, r := range s.requests {
			if r.id == msg.id && !r.answered {
				return r, s
			}
		}
	}
	return nil, nil
}

// reply tells who waits for a message how that ended.
func (m *Model) reply(msg *message, code fsm.Code) {
	if r, s := m.requestOf(msg); r != nil {
		r.answered, r.code = true, code
		m.tell(s, r, code)
	}
	if code == fsm.DeadLettered {
		msg.request, msg.noRetry = false, false
	}
}

func (m *Model) tell(s *session, r *request, code fsm.Code) {
	if s.attached() {
		m.answers = append(m.answers, fsm.Effect{
			Kind: fsm.EffectAnswer, Code: code, Session: s.id, Epoch: s.epoch, Node: s.node, Number: r.number, ID: r.answerID,
		})
	}
}

// replyTo settles a request's delivery with its answer.
func (m *Model) replyTo(x *fsm.Reply, c Command, got fsm.Result) Outcome {
	if c.Broken || len(c.Drafts) != 1 {
		return answer(fsm.Invalid)
	}
	d := c.Drafts[0]
	switch {
	case d.Fault != fsm.OK:
		return answer(d.Fault)
	case d.Size > fsm.MaxAnswerBytes:
		return answer(fsm.TooLarge)
	}
	it := fsm.SettleItem{Incarnation: x.Incarnation, Place: x.Place, Token: x.Token, Action: fsm.ActionAck}
	held, v := m.judgeSettle(m.sessions[x.Session], it)
	switch {
	case held == nil:
		return Outcome{Code: v.Code, Cause: v.Cause}
	case !held.request:
		return answer(fsm.Invalid)
	}
	if r, _ := m.requestOf(held); r != nil {
		r.answerID = fsm.ID{Group: m.group, Index: m.index, Position: got.Position}
		r.body = d.Record
	}
	m.settleOne(held, it)
	return answer(fsm.OK)
}

// await asks for an answer once more.
func (m *Model) await(x *fsm.Await) Outcome {
	s := m.sessions[x.Session]
	switch {
	case s == nil:
		return answer(fsm.SessionExpired)
	case x.Epoch != s.epoch:
		return Outcome{Code: fsm.Fenced, Value: s.epoch}
	}
	r := s.requests[x.Number]
	switch {
	case r == nil:
		return answer(fsm.NotFound)
	case !r.answered:
		return answer(fsm.OK)
	}
	m.tell(s, r, r.code)
	return Outcome{Code: fsm.OK, Value: 1}
}

// overdueRequests ends the requests whose deadline is over.
func (m *Model) overdueRequests() {
	for _, s := range m.sessionList() {
		for _, r := range s.requests {
			if r.deadline > m.clock.WallMillis {
				continue
			}
			if !r.answered {
				m.tell(s, r, fsm.Expired)
			}
			delete(s.requests, r.number)
		}
	}
}

// numbers of the requests, in order.
func (s *session) numbers() (all []uint64) {
	for number := range s.requests {
		all = append(all, number)
	}
	slices.Sort(all)
	return all
}
