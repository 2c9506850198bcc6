package broker

import (
	"fmt"
	"unicode/utf8"

	"github.com/ferrymq/ferrymq/fsm"
	"github.com/ferrymq/ferrymq/transport"
)

func (c *conn) consumerOp(f transport.Frame) error {
	if f.Op == transport.OpCancel {
		return c.cancelConsumer(f)
	}
	var m transport.Consume
	if err := m.Decode(f.Payload); err != nil {
		return err
	}
	o, head, ok := c.operation(&f, &m.OpHeader, fsm.KindConsume, 0)
	if !ok {
		return nil
	}
	x := fsm.Consume{
		OpHeader: head, Consumer: m.Consumer, Queue: m.Queue,
		CreditMessages: m.CreditMessages, CreditBytes: m.CreditBytes, Concurrency: m.Concurrency,
		NoAck: m.NoAck, LeaseMillis: m.LeaseMs,
	}
	return c.named(o, m.Queue, func(b []byte) []byte { return fsm.AppendConsume(b, &x) })
}

func (c *conn) cancelConsumer(f transport.Frame) error {
	var m transport.Cancel
	if err := m.Decode(f.Payload); err != nil {
		return err
	}
	o, head, ok := c.operation(&f, &m.OpHeader, fsm.KindCancel, 0)
	if !ok {
		return nil
	}
	x := fsm.Cancel{OpHeader: head, Consumer: m.Consumer, Return: m.Return}
	c.submit(o, o.handle.lane, func(b []byte) []byte { return fsm.AppendCancel(b, &x) })
	return nil
}

// named submits an operation on a queue whose name is short enough to be one.
// Which names are good is for the machine to say.
func (c *conn) named(o op, queue string, encode func([]byte) []byte) error {
	if len(queue) > transport.QueueNameMax {
		c.answer(&o, refusal(transport.CodeInvalid, "the queue's name is too long"))
		return nil
	}
	c.submit(o, o.handle.lane, encode)
	return nil
}

func (c *conn) queueOp(f transport.Frame) error {
	switch f.Op {
	case transport.OpQueueCreate:
		var m transport.QueueCreate
		return c.queueCommand(&f, m.Decode, &m.OpHeader, &m.Queue, fsm.KindQueueCreate, func(b []byte, h fsm.OpHeader) []byte {
			return fsm.AppendQueueCreate(b, &fsm.QueueCreate{OpHeader: h, Queue: m.Queue, Settings: settingsOf(&m.Settings)})
		})
	case transport.OpQueueUpdate:
		var m transport.QueueUpdate
		return c.queueCommand(&f, m.Decode, &m.OpHeader, &m.Queue, fsm.KindQueueUpdate, func(b []byte, h fsm.OpHeader) []byte {
			return fsm.AppendQueueUpdate(b, &fsm.QueueUpdate{OpHeader: h, Queue: m.Queue, Settings: settingsOf(&m.Settings)})
		})
	case transport.OpQueueDelete:
		var m transport.QueueDelete
		return c.queueCommand(&f, m.Decode, &m.OpHeader, &m.Queue, fsm.KindQueueDelete, func(b []byte, h fsm.OpHeader) []byte {
			return fsm.AppendQueueDelete(b, &fsm.QueueDelete{OpHeader: h, Queue: m.Queue, IfEmpty: m.IfEmpty, IfUnused: m.IfUnused})
		})
	case transport.OpQueuePurge:
		var m transport.QueuePurge
		return c.queueCommand(&f, m.Decode, &m.OpHeader, &m.Queue, fsm.KindQueuePurge, func(b []byte, h fsm.OpHeader) []byte {
			return fsm.AppendQueuePurge(b, &fsm.QueuePurge{OpHeader: h, Queue: m.Queue})
		})
	default:
		var m transport.QueuePause
		return c.queueCommand(&f, m.Decode, &m.OpHeader, &m.Queue, fsm.KindQueuePause, func(b []byte, h fsm.OpHeader) []byte {
			return fsm.AppendQueuePause(b, &fsm.QueuePause{OpHeader: h, Queue: m.Queue, Paused: m.Paused})
		})
	}
}

// textShown is how much of a text that is too long the refusal quotes.
const textShown = 32

// queueCommand is what the operations on a queue or topic have in common.
// Others are texts that are to be no longer than a key.
func (c *conn) queueCommand(f *transport.Frame, decode func([]byte) error, header *transport.OpHeader, queue *string,
	kind fsm.Kind, encode func([]byte, fsm.OpHeader) []byte, others ...*string) error {
	if err := decode(f.Payload); err != nil {
		return err
	}
	o, head, ok := c.operation(f, header, kind, 0)
	if !ok {
		return nil
	}
	for _, text := range others {
		if len(*text) > fsm.MaxKeyBytes {
			c.answer(&o, refusal(transport.CodeInvalid, fmt.Sprintf("%q... is too long", (*text)[:textShown])))
			return nil
		}
		if !utf8.ValidString(*text) {
			c.answer(&o, refusal(transport.CodeInvalid, fmt.Sprintf("%q is not UTF-8", *text)))
			return nil
		}
	}
	return c.named(o, *queue, func(b []byte) []byte { return encode(b, head) })
}
