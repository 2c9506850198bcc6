package client

import (
	"context"
	"fmt"

	"github.com/ferrymq/ferrymq/fsm/record"
	"github.com/ferrymq/ferrymq/transport"
	"github.com/ferrymq/ferrymq/transport/wire"
)

// Reply answers a request and settles its delivery, in one step. It returns
// when that is confirmed; an answer that comes after the deadline, or to nobody,
// is dropped, and confirmed all the same. The answer has the request's
// CorrelationID unless it has its own, and at most 64 KiB of headers and body:
// larger ones go through a queue, see WithDurableReply.
//
// The error Is ErrInvalid where d.IsRequest is not set or without acks, and
// ErrLeaseLost as that of Ack.
func (d *Delivery) Reply(ctx context.Context, m Message) error { return d.reply(ctx, m, false) }

func (d *Delivery) reply(ctx context.Context, m Message, patient bool) error {
	if !d.IsRequest || d.k.opts.noAck {
		return localError(transport.CodeInvalid, "reply", d.Queue, "it is no request, or not leased", nil)
	}
	if m.CorrelationID == "" {
		m.CorrelationID = d.CorrelationID
	}
	r, err := recordOf(&m)
	if err != nil {
		return about(err, "reply", d.Queue)
	}
	if record.LogicalSize(&r) > transport.AnswerMax {
		return localError(transport.CodeTooLarge, "reply", d.Queue,
			fmt.Sprintf("an answer has at most %d bytes of headers and body", transport.AnswerMax), nil)
	}
	records, err := recordAlone(&r)
	if err != nil {
		return about(recordError(d.Queue, err), "reply", d.Queue)
	}
	s, err := d.beginTogether("reply", transport.SettleItem{Action: transport.ActionAck})
	if err != nil {
		return err
	}
	_, err = d.k.c.operate(ctx, &control{
		op: transport.OpReply, name: "reply", resource: d.Queue,
		messages: 1, bytes: len(records), patient: patient,
		encode: func(dst []byte, h transport.OpHeader) []byte {
			return transport.Reply{
				OpHeader: h, Incarnation: d.key.incarnation, Place: d.key.place, Token: d.Token, Records: records,
			}.AppendTo(dst)
		},
		describe: func(a *Answer) { a.Tokens = append(a.Tokens, d.Token) },
	}, func(r *transport.Result, err *Error) { endTogether([]*settle{s}, r, err) })
	return err
}

// recordAlone is a message as one binary.
func recordAlone(m *record.Message) ([]byte, error) {
	size := record.Size(m)
	return record.Append(wire.AppendBytesLen(make([]byte, 0, size+8), size), m)
}
