package broker

import (
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/ferrymq/ferrymq/fsm"
	"github.com/ferrymq/ferrymq/transport"
)

func (c *conn) publish(f transport.Frame) error {
	var m transport.Publish
	if err := m.Decode(f.Payload); err != nil {
		return err
	}
	o, head, ok := c.operation(&f, &m.OpHeader, fsm.KindPublish, int(m.Count))
	if !ok {
		return nil
	}
	var check recordCheck
	if r, bad := check.all(&c.b.o, m.Records, m.Count); bad {
		c.answer(&o, r)
		return nil
	}
	if r, ok := c.rate.take(int(m.Count), time.Now()); !ok {
		c.answer(&o, r)
		return nil
	}
	o.grows = true
	p := fsm.Publish{OpHeader: head, Queue: m.Queue, Count: m.Count, Records: m.Records}
	c.submit(o, o.handle.lane, func(b []byte) []byte { return fsm.AppendPublish(b, &p) })
	return nil
}

func (c *conn) settle(f transport.Frame) error {
	var m transport.Settle
	if err := m.Decode(f.Payload); err != nil {
		return err
	}
	o, head, ok := c.operation(&f, &m.OpHeader, fsm.KindSettle, len(m.Items))
	if !ok {
		return nil
	}
	if r, bad := c.checkSettle(&m); bad {
		c.answer(&o, r)
		return nil
	}
	s := fsm.Settle{OpHeader: head, Items: c.settles(m.Items)}
	c.b.metrics.settling(m.Items) // before its answer can go out
	c.submit(o, o.handle.lane, func(b []byte) []byte { return fsm.AppendSettle(b, &s) })
	return nil
}

func (c *conn) checkSettle(m *transport.Settle) (transport.Result, bool) {
	switch {
	case len(m.Items) == 0:
		return refusal(transport.CodeInvalid, "nothing to settle"), true
	case len(m.Items) > c.b.o.MessagesMax:
		return refusal(transport.CodeTooLarge, fmt.Sprintf("%d settles, at most %d", len(m.Items), c.b.o.MessagesMax)), true
	}
	return checkSettles(m.Items)
}

// checkSettles refuses items that no version of the machine would take, and
// texts that are none: the machine keeps them as they come.
func checkSettles(items []transport.SettleItem) (transport.Result, bool) {
	for i := range items {
		it := &items[i]
		switch {
		case it.Action < transport.ActionAck || it.Action > transport.ActionExtend:
			return refusal(transport.CodeInvalid, fmt.Sprintf("settle %d: action %d is none", i, it.Action)), true
		case it.Reason > transport.ReasonUnstarted:
			return refusal(transport.CodeInvalid, fmt.Sprintf("settle %d: reason %d is none", i, it.Reason)), true
		case it.DelayMs > fsm.MaxRetryMillis:
			return refusal(transport.CodeInvalid, fmt.Sprintf("settle %d: a delay of %d ms, at most %d", i, it.DelayMs, fsm.MaxRetryMillis)), true
		case !utf8.ValidString(it.Error):
			return refusal(transport.CodeInvalid, fmt.Sprintf("settle %d: its error is not UTF-8", i)), true
		}
	}
	return transport.Result{}, false
}

// settles puts items into the machine's words, in memory that the next Settle
// of this connection uses again.
func (c *conn) settles(items []transport.SettleItem) []fsm.SettleItem {
	c.scratch = c.scratch[:0]
	for i := range items {
		it := &items[i]
		c.scratch = append(c.scratch, fsm.SettleItem{
			Incarnation: it.Incarnation, Place: it.Place, Token: it.Token,
			Action: fsm.Action(it.Action), Reason: fsm.Reason(it.Reason),
			DelayMillis: it.DelayMs, Error: it.Error,
		})
	}
	return c.scratch
}

func (c *conn) credit(f transport.Frame) error {
	var m transport.Credit
	if err := m.Decode(f.Payload); err != nil {
		return err
	}
	h := c.handles[m.Handle]
	if h == nil {
		return nil // never answered, and a repeat is harmless
	}
	o, ok := c.begin(&f, fsm.KindCredit, 0)
	if !ok {
		return nil
	}
	o.handle = h
	cr := fsm.Credit{Session: h.session, Epoch: h.epoch, Consumer: m.Consumer, Through: m.Through}
	if _, taken := h.lane.submit(o, func(b []byte) []byte { return fsm.AppendCredit(b, &cr) }); !taken {
		c.sent(1, int(o.cost))
	}
	return nil
}
