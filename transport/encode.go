package transport

import (
	"errors"

	"github.com/ferrymq/ferrymq/transport/wire"
)

// The operations on the hot path, by hand. Both halves of a body stand
// together; a struct's array has its fields in the order of their
// declaration, and an embedded OpHeader is an array of its own in first place.

// decoded turns the cursor's first mistake into a FrameError about the body.
func decoded(c *wire.Cursor, body string) error {
	err := c.Done()
	if err == nil {
		return nil
	}
	var w *wire.Error
	if !errors.As(err, &w) {
		return &FrameError{Err: ErrMalformed, Of: body, Detail: err.Error(), Cause: err}
	}
	detail := w.Err.Error()
	if w.Detail != "" {
		detail += ": " + w.Detail
	}
	return &FrameError{Err: ErrMalformed, Offset: int64(w.Offset), Of: body, Detail: detail, Cause: err}
}

// AppendTo appends the header as an array.
func (h OpHeader) AppendTo(b []byte) []byte {
	b = wire.AppendArrayLen(b, 5)
	b = wire.AppendUint(b, uint64(h.Handle))
	b = wire.AppendUint(b, h.Number)
	b = wire.AppendUint(b, h.AnsweredThrough)
	b = wire.AppendBool(b, h.Ordered)
	return wire.AppendUint(b, h.Predecessor)
}

func (h *OpHeader) read(c *wire.Cursor) {
	more := c.Fields(5)
	h.Handle = c.Uint32()
	h.Number = c.Uint()
	h.AnsweredThrough = c.Uint()
	h.Ordered = c.Bool()
	h.Predecessor = c.Uint()
	c.SkipN(more)
}

// Decode reads a header that stands alone.
func (h *OpHeader) Decode(payload []byte) error {
	c := wire.NewCursor(payload)
	h.read(&c)
	return decoded(&c, "OpHeader")
}

// DecodeOpHeader reads the header of any operation's body, without the rest:
// enough to answer it.
func DecodeOpHeader(payload []byte) (h OpHeader, err error) {
	c := wire.NewCursor(payload)
	more := c.Fields(1)
	h.read(&c)
	c.SkipN(more)
	return h, decoded(&c, "OpHeader")
}

// AppendTo appends the body. Records must hold Count binaries.
func (p Publish) AppendTo(b []byte) []byte {
	b = wire.AppendArrayLen(b, 3)
	b = p.OpHeader.AppendTo(b)
	b = wire.AppendString(b, p.Queue)
	b = wire.AppendArrayLen(b, int(p.Count))
	return append(b, p.Records...)
}

// Decode reads the body. Records aliases the payload and holds Count
// binaries; what is in them is not looked at.
func (p *Publish) Decode(payload []byte) error {
	c := wire.NewCursor(payload)
	more := c.Fields(3)
	p.OpHeader.read(&c)
	p.Queue = c.StringMax(QueueNameMax)
	p.Count, p.Records = readBinaries(&c, payload, MessagesMax)
	c.SkipN(more)
	return decoded(&c, "Publish")
}

// readBinaries reads an array of binaries as they stand.
func readBinaries(c *wire.Cursor, payload []byte, limit int) (count uint32, raw []byte) {
	n := c.ArrayLenOf(limit, 2)
	from := c.Offset()
	for range n {
		c.Bytes()
	}
	if c.Err() != nil {
		return 0, nil
	}
	return uint32(n), payload[from:c.Offset():c.Offset()]
}

// EachRecord calls f with each of the count binaries of a Publish's Records,
// or of a PeerSubmit's Commands, until f returns an error. What f gets aliases raw.
func EachRecord(raw []byte, count uint32, f func(record []byte) error) error {
	c := wire.NewCursor(raw)
	for range count {
		record := c.Bytes()
		if c.Err() != nil {
			break
		}
		if err := f(record); err != nil {
			return err
		}
	}
	return decoded(&c, "records")
}

// AppendTo appends the item.
func (s SettleItem) AppendTo(b []byte) []byte {
	b = wire.AppendArrayLen(b, 7)
	b = wire.AppendUint(b, s.Incarnation)
	b = wire.AppendUint(b, s.Place)
	b = wire.AppendUint(b, s.Token)
	b = wire.AppendUint(b, uint64(s.Action))
	b = wire.AppendUint(b, uint64(s.Reason))
	b = wire.AppendUint(b, uint64(s.DelayMs))
	return wire.AppendString(b, s.Error)
}

func (s *SettleItem) read(c *wire.Cursor) {
	more := c.Fields(7)
	s.Incarnation = c.Uint()
	s.Place = c.Uint()
	s.Token = c.Uint()
	s.Action = Action(c.Uint8())
	s.Reason = Reason(c.Uint8())
	s.DelayMs = c.Uint32()
	s.Error = c.String()
	c.SkipN(more)
}

// AppendTo appends the body.
func (s Settle) AppendTo(b []byte) []byte {
	b = wire.AppendArrayLen(b, 2)
	b = s.OpHeader.AppendTo(b)
	b = wire.AppendArrayLen(b, len(s.Items))
	for i := range s.Items {
		b = s.Items[i].AppendTo(b)
	}
	return b
}

// Decode reads the body. It reuses the memory of Items.
func (s *Settle) Decode(payload []byte) error {
	c := wire.NewCursor(payload)
	more := c.Fields(2)
	s.OpHeader.read(&c)
	s.Items = resize(s.Items, c.ArrayLenOf(MessagesMax, settleItemLeast))
	for i := range s.Items {
		s.Items[i].read(&c)
	}
	c.SkipN(more)
	return decoded(&c, "Settle")
}

// AppendTo appends the body.
func (r Credit) AppendTo(b []byte) []byte {
	b = wire.AppendArrayLen(b, 3)
	b = wire.AppendUint(b, uint64(r.Handle))
	b = wire.AppendUint(b, uint64(r.Consumer))
	return wire.AppendUint(b, r.Through)
}

// Decode reads the body.
func (r *Credit) Decode(payload []byte) error {
	c := wire.NewCursor(payload)
	more := c.Fields(3)
	r.Handle = c.Uint32()
	r.Consumer = c.Uint32()
	r.Through = c.Uint()
	c.SkipN(more)
	return decoded(&c, "Credit")
}

// resize gives s the length n, in the same memory if that is large enough.
// The caller overwrites every element.
func resize[T any](s []T, n int) []T {
	if n == 0 {
		return s[:0]
	}
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
