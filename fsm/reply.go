package fsm

import (
	"errors"

	"github.com/ferrymq/ferrymq/fsm/record"
	"github.com/ferrymq/ferrymq/transport/wire"
)

// reply settles a request's delivery with its answer.
func (s *State) reply(c *Reply, entry []byte) Result {
	x, r := s.admit(&c.OpHeader, 1)
	if x == nil {
		return r
	}
	if r = (Result{Code: OutOfOrder}); x.inOrder(&c.OpHeader) {
		r = s.answerWith(x, c, entry)
	}
	return s.keep(x, &c.OpHeader, 1, s.at(r, 1))
}

func (s *State) answerWith(x *session, c *Reply, entry []byte) Result {
	cur := wire.NewCursor(c.Records)
	b := cur.Bytes()
	if err := cur.Done(); err != nil {
		return Result{Code: Invalid, Detail: "record: " + err.Error()}
	}
	var info record.Info
	switch err := info.Peek(b); {
	case errors.Is(err, record.ErrTooLarge):
		return Result{Code: TooLarge, Detail: err.Error()}
	case err != nil:
		return Result{Code: Invalid, Detail: err.Error()}
	case info.Logical > MaxAnswerBytes:
		return Result{Code: TooLarge, Detail: "an answer of more than 64 KiB"}
	}
	it := SettleItem{Incarnation: c.Incarnation, Place: c.Place, Token: c.Token, Action: ActionAck}
	q, v := s.judgeSettle(x, &it)
	if v.Code != OK {
		return Result{Code: v.Code, Cause: v.Cause}
	}
	l, _ := q.leased.Get(c.Place)
	if l.flags&flagRequest == 0 {
		return Result{Code: Invalid, Detail: "the message does not ask for an answer"}
	}
	id := messageID{l.index, l.position}
	if _, asks := s.requests.waiting[id]; asks {
		body := messageID{s.index, s.work.position}
		at := s.work.recordsAt + cur.Offset() - len(b)
		if err := s.bodies.Add(body.index, body.position, entry, at, len(b)); err != nil {
			s.fail(err)
			return Result{}
		}
		s.answer(id, OK, body)
	}
	s.settleOne(q, &it)
	return Result{}
}
