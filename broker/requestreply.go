package broker

import (
	"fmt"
	"time"

	"github.com/ferrymq/ferrymq/fsm"
	"github.com/ferrymq/ferrymq/fsm/record"
	"github.com/ferrymq/ferrymq/transport"
)

// request publishes a message that asks for an answer. The answer comes as an
// effect of a later entry.
func (c *conn) request(f transport.Frame) error {
	var m transport.Request
	if err := m.Decode(f.Payload); err != nil {
		return err
	}
	o, head, ok := c.operation(&f, &m.OpHeader, fsm.KindRequest, 1)
	if !ok {
		return nil
	}
	r, bad := c.checkRequest(&m)
	if !bad {
		r, ok = c.rate.take(1, time.Now())
		bad = !ok
	}
	if bad {
		c.answer(&o, r)
		return nil
	}
	o.grows = true
	x := fsm.Request{OpHeader: head, Queue: m.Queue, NoRetry: m.NoRetry, Taken: m.Taken, Records: m.Records}
	c.submit(o, o.handle.lane, func(b []byte) []byte { return fsm.AppendRequest(b, &x) })
	return nil
}

func (c *conn) checkRequest(m *transport.Request) (transport.Result, bool) {
	var check recordCheck
	if r, bad := check.all(&c.b.o, m.Records, 1); bad {
		return r, true
	}
	var info record.Info
	err := transport.EachRecord(m.Records, 1, info.Peek)
	if err != nil || !info.Present.Has(record.TagDeadline) {
		return refusal(transport.CodeInvalid, "a request without a deadline"), true
	}
	return transport.Result{}, false
}

// reply settles a request's delivery with its answer.
func (c *conn) reply(f transport.Frame) error {
	var m transport.Reply
	if err := m.Decode(f.Payload); err != nil {
		return err
	}
	o, head, ok := c.operation(&f, &m.OpHeader, fsm.KindReply, 1)
	if !ok {
		return nil
	}
	var check recordCheck
	r, bad := check.all(&c.b.o, m.Records, 1)
	if !bad && check.bytes > transport.AnswerMax {
		r, bad = refusal(transport.CodeTooLarge, fmt.Sprintf("an answer of %d bytes, at most %d", check.bytes, transport.AnswerMax)), true
	}
	if bad {
		c.answer(&o, r)
		return nil
	}
	x := fsm.Reply{OpHeader: head, Incarnation: m.Incarnation, Place: m.Place, Token: m.Token, Records: m.Records}
	c.b.metrics.replies.Inc() // before its answer can go out
	c.submit(o, o.handle.lane, func(b []byte) []byte { return fsm.AppendReply(b, &x) })
	return nil
}

// await asks again for an answer. It has no number of its own.
func (c *conn) await(f transport.Frame) error {
	var m transport.Await
	if err := m.Decode(f.Payload); err != nil {
		return err
	}
	o, head, ok := c.operation(&f, &transport.OpHeader{Handle: m.Handle}, fsm.KindAwait, 0)
	if !ok {
		return nil
	}
	x := fsm.Await{Session: head.Session, Epoch: head.Epoch, Number: m.Number}
	c.submit(o, o.handle.lane, func(b []byte) []byte { return fsm.AppendAwait(b, &x) })
	return nil
}
