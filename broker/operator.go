package broker

import (
	"fmt"

	"github.com/ferrymq/ferrymq/fsm"
	"github.com/ferrymq/ferrymq/transport"
)

// amend does one thing to messages of a queue.
func (c *conn) amend(f transport.Frame) error {
	var m transport.Amend
	if err := m.Decode(f.Payload); err != nil {
		return err
	}
	o, head, ok := c.operation(&f, &m.OpHeader, fsm.KindAmend, len(m.Items))
	if !ok {
		return nil
	}
	if r, bad := c.checkAmend(&m); bad {
		c.answer(&o, r)
		return nil
	}
	x := fsm.Amend{
		OpHeader: head, Queue: m.Queue, Action: fsm.AmendAction(m.Action), To: m.To,
		AtMillis: m.AtMs, Reset: m.Reset, Items: make([]fsm.AmendItem, len(m.Items)),
	}
	for i, it := range m.Items {
		x.Items[i] = fsm.AmendItem{Place: it.Place, Index: it.Index, Position: it.Position}
	}
	c.submit(o, o.handle.lane, func(b []byte) []byte { return fsm.AppendAmend(b, &x) })
	return nil
}

func (c *conn) checkAmend(m *transport.Amend) (transport.Result, bool) {
	switch {
	case len(m.Items) == 0:
		return refusal(transport.CodeInvalid, "no message is named"), true
	case len(m.Items) > c.b.o.MessagesMax:
		return refusal(transport.CodeTooLarge, fmt.Sprintf("%d messages, at most %d", len(m.Items), c.b.o.MessagesMax)), true
	case len(m.Queue) > transport.QueueNameMax, len(m.To) > transport.QueueNameMax:
		return refusal(transport.CodeInvalid, "a queue's name is too long"), true
	case m.Action < transport.AmendDelete || m.Action > transport.AmendSchedule:
		return refusal(transport.CodeInvalid, fmt.Sprintf("action %d is none", m.Action)), true
	}
	return transport.Result{}, false
}

// tune is what operators do to a queue beside its settings.
func (c *conn) tune(f transport.Frame) error {
	switch f.Op {
	case transport.OpQueueBreaker:
		var m transport.QueueBreaker
		return c.queueCommand(&f, m.Decode, &m.OpHeader, &m.Queue, fsm.KindBreaker, func(b []byte, h fsm.OpHeader) []byte {
			return fsm.AppendBreaker(b, &fsm.Breaker{OpHeader: h, Queue: m.Queue, Action: fsm.BreakerAction(m.Action)})
		})
	case transport.OpGroupResume:
		var m transport.GroupResume
		return c.queueCommand(&f, m.Decode, &m.OpHeader, &m.Queue, fsm.KindGroupResume, func(b []byte, h fsm.OpHeader) []byte {
			return fsm.AppendGroupResume(b, &fsm.GroupResume{OpHeader: h, Queue: m.Queue, Group: m.GroupKey})
		}, &m.GroupKey)
	default:
		var m transport.TenantWeight
		return c.queueCommand(&f, m.Decode, &m.OpHeader, &m.Queue, fsm.KindTenantWeight, func(b []byte, h fsm.OpHeader) []byte {
			return fsm.AppendTenantWeight(b, &fsm.TenantWeight{OpHeader: h, Queue: m.Queue, Tenant: m.Tenant, Weight: m.Weight})
		}, &m.Tenant)
	}
}
