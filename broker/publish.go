package broker

import (
	"errors"
	"fmt"

	"github.com/ferrymq/ferrymq/fsm"
	"github.com/ferrymq/ferrymq/fsm/record"
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
	if r, bad := c.b.checkPublish(&m); bad {
		c.answer(&o, r)
		return nil
	}
	p := fsm.Publish{OpHeader: head, Queue: m.Queue, Count: m.Count, Records: m.Records}
	c.submit(o, o.handle.lane, func(b []byte) []byte { return fsm.AppendPublish(b, &p) })
	return nil
}

// checkPublish reads every record once, where it comes in: what is wrong
// never reaches the log. The machine judges the rest.
func (b *Broker) checkPublish(m *transport.Publish) (transport.Result, bool) {
	switch {
	case m.Count == 0:
		return refusal(transport.CodeInvalid, "no message"), true
	case int(m.Count) > b.o.MessagesMax:
		return refusal(transport.CodeTooLarge, fmt.Sprintf("%d messages, at most %d", m.Count, b.o.MessagesMax)), true
	}
	i, sum := 0, 0
	err := transport.EachRecord(m.Records, m.Count, func(r []byte) error {
		v, err := record.Parse(r)
		if err != nil {
			return err
		}
		n := v.LogicalSize()
		if n > b.o.MessageMax {
			return fmt.Errorf("%w: %d bytes, at most %d", record.ErrTooLarge, n, b.o.MessageMax)
		}
		if sum += n; sum > transport.MessageMax {
			return fmt.Errorf("%w: the messages of an operation have more than %d bytes", record.ErrTooLarge, transport.MessageMax)
		}
		i++
		return nil
	})
	if err == nil {
		return transport.Result{}, false
	}
	code := transport.CodeInvalid
	if errors.Is(err, record.ErrTooLarge) {
		code = transport.CodeTooLarge
	}
	return refusal(code, fmt.Sprintf("message %d: %v", i, err)), true
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
	c.submit(o, o.handle.lane, func(b []byte) []byte { return fsm.AppendSettle(b, &s) })
	c.b.metrics.settling(m.Items)
	return nil
}

func (c *conn) checkSettle(m *transport.Settle) (transport.Result, bool) {
	switch {
	case len(m.Items) == 0:
		return refusal(transport.CodeInvalid, "nothing to settle"), true
	case len(m.Items) > c.b.o.MessagesMax:
		return refusal(transport.CodeTooLarge, fmt.Sprintf("%d settles, at most %d", len(m.Items), c.b.o.MessagesMax)), true
	}
	for i := range m.Items {
		it := &m.Items[i]
		switch {
		case it.Action < transport.ActionAck || it.Action > transport.ActionExtend:
			return refusal(transport.CodeInvalid, fmt.Sprintf("settle %d: action %d is none", i, it.Action)), true
		case it.Reason > transport.ReasonShutdown:
			return refusal(transport.CodeInvalid, fmt.Sprintf("settle %d: reason %d is none", i, it.Reason)), true
		case it.DelayMs != 0:
			return refusal(transport.CodeUnsupported, fmt.Sprintf("settle %d: a delay is not supported yet", i)), true
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
