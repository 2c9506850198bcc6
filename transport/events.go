package transport

import "github.com/ferrymq/ferrymq/transport/wire"

// Results, deliveries and closings, by hand: everything one entry has for one
// connection. The least sizes are those of an element whose every field takes
// a byte; they keep what a decoder allocates in proportion to its input.
const (
	verdictLeast  = 4
	resultLeast   = 10
	deliveryLeast = 17 // its record takes two
	closedLeast   = 4
)

// AppendTo appends the verdict.
func (v Verdict) AppendTo(b []byte) []byte {
	b = wire.AppendArrayLen(b, 3)
	b = wire.AppendUint(b, uint64(v.Code))
	b = wire.AppendUint(b, uint64(v.Cause))
	return wire.AppendUint(b, uint64(v.RetryAfterMs))
}

func (v *Verdict) read(c *wire.Cursor) {
	more := c.Fields(3)
	v.Code = Code(c.Uint16())
	v.Cause = Cause(c.Uint8())
	v.RetryAfterMs = c.Uint32()
	c.SkipN(more)
}

// AppendTo appends the result.
func (r *Result) AppendTo(b []byte) []byte {
	b = wire.AppendArrayLen(b, 9)
	b = wire.AppendUint(b, uint64(r.Stream))
	b = wire.AppendUint(b, uint64(r.Code))
	b = wire.AppendUint(b, uint64(r.Cause))
	b = wire.AppendUint(b, uint64(r.RetryAfterMs))
	b = wire.AppendUint(b, r.Index)
	b = wire.AppendUint(b, uint64(r.Position))
	b = wire.AppendUint(b, r.Value)
	b = wire.AppendString(b, r.Detail)
	b = wire.AppendArrayLen(b, len(r.Items))
	for i := range r.Items {
		b = r.Items[i].AppendTo(b)
	}
	return b
}

func (r *Result) read(c *wire.Cursor) {
	more := c.Fields(9)
	r.Stream = c.Uint32()
	r.Code = Code(c.Uint16())
	r.Cause = Cause(c.Uint8())
	r.RetryAfterMs = c.Uint32()
	r.Index = c.Uint()
	r.Position = c.Uint32()
	r.Value = c.Uint()
	r.Detail = c.String()
	r.Items = nil // never shared with an earlier result: callers keep them
	if n := c.ArrayLenOf(MessagesMax, verdictLeast); n > 0 {
		r.Items = make([]Verdict, n)
	}
	for i := range r.Items {
		r.Items[i].read(c)
	}
	c.SkipN(more)
}

// AppendTo appends the death.
func (d *Death) AppendTo(b []byte) []byte {
	b = wire.AppendArrayLen(b, 6)
	b = wire.AppendString(b, d.Queue)
	b = wire.AppendString(b, d.Reason)
	b = wire.AppendUint(b, uint64(d.Attempts))
	b = wire.AppendUint(b, uint64(d.Failures))
	b = wire.AppendString(b, d.Error)
	return wire.AppendInt(b, d.AtMs)
}

func (d *Death) read(c *wire.Cursor) {
	more := c.Fields(6)
	d.Queue = c.StringMax(QueueNameMax)
	d.Reason = c.String()
	d.Attempts = c.Uint32()
	d.Failures = c.Uint32()
	d.Error = c.String()
	d.AtMs = c.Int()
	c.SkipN(more)
}

// AppendTo appends the delivery.
func (d *Delivery) AppendTo(b []byte) []byte {
	return append(d.AppendHead(b, len(d.Record)), d.Record...)
}

// AppendHead appends the delivery up to its record, whose size bytes the
// caller appends: a record that is loaded late is copied only once.
func (d *Delivery) AppendHead(b []byte, size int) []byte {
	b = wire.AppendArrayLen(b, 15)
	b = wire.AppendUint(b, uint64(d.Handle))
	b = wire.AppendUint(b, uint64(d.Consumer))
	b = wire.AppendUint(b, d.Incarnation)
	b = wire.AppendUint(b, d.Place)
	b = wire.AppendUint(b, d.Token)
	b = wire.AppendUint(b, d.Number)
	b = wire.AppendUint(b, uint64(d.Group))
	b = wire.AppendUint(b, d.Index)
	b = wire.AppendUint(b, uint64(d.Position))
	b = wire.AppendUint(b, uint64(d.Attempt))
	b = wire.AppendUint(b, uint64(d.Failures))
	b = wire.AppendUint(b, uint64(d.LeaseMs))
	b = wire.AppendInt(b, d.EnqueuedMs)
	if d.Death == nil {
		b = wire.AppendNil(b)
	} else {
		b = d.Death.AppendTo(b)
	}
	return wire.AppendBytesLen(b, size)
}

func (d *Delivery) read(c *wire.Cursor) {
	more := c.Fields(15)
	d.Handle = c.Uint32()
	d.Consumer = c.Uint32()
	d.Incarnation = c.Uint()
	d.Place = c.Uint()
	d.Token = c.Uint()
	d.Number = c.Uint()
	d.Group = c.Uint32()
	d.Index = c.Uint()
	d.Position = c.Uint32()
	d.Attempt = c.Uint32()
	d.Failures = c.Uint32()
	d.LeaseMs = c.Uint32()
	d.EnqueuedMs = c.Int()
	d.Death = nil
	if !c.Nil() {
		d.Death = new(Death)
		d.Death.read(c)
	}
	d.Record = c.Bytes()
	c.SkipN(more)
}

// AppendTo appends the closing.
func (x Closed) AppendTo(b []byte) []byte {
	b = wire.AppendArrayLen(b, 3)
	b = wire.AppendUint(b, uint64(x.Handle))
	b = wire.AppendUint(b, uint64(x.Consumer))
	return wire.AppendUint(b, uint64(x.Code))
}

func (x *Closed) read(c *wire.Cursor) {
	more := c.Fields(3)
	x.Handle = c.Uint32()
	x.Consumer = c.Uint32()
	x.Code = Code(c.Uint16())
	c.SkipN(more)
}

// AppendTo appends the body.
func (e *Events) AppendTo(b []byte) []byte {
	b = wire.AppendArrayLen(b, 3)
	b = wire.AppendArrayLen(b, len(e.Results))
	for i := range e.Results {
		b = e.Results[i].AppendTo(b)
	}
	b = wire.AppendArrayLen(b, len(e.Deliveries))
	for i := range e.Deliveries {
		b = e.Deliveries[i].AppendTo(b)
	}
	b = wire.AppendArrayLen(b, len(e.Closed))
	for i := range e.Closed {
		b = e.Closed[i].AppendTo(b)
	}
	return b
}

// Decode reads the body. It reuses the memory of the three lists; records
// alias the payload.
func (e *Events) Decode(payload []byte) error {
	c := wire.NewCursor(payload)
	more := c.Fields(3)
	e.Results = resize(e.Results, c.ArrayLenOf(EventsItemsMax, resultLeast))
	for i := range e.Results {
		e.Results[i].read(&c)
	}
	e.Deliveries = resize(e.Deliveries, c.ArrayLenOf(EventsItemsMax, deliveryLeast))
	for i := range e.Deliveries {
		e.Deliveries[i].read(&c)
	}
	e.Closed = resize(e.Closed, c.ArrayLenOf(EventsItemsMax, closedLeast))
	for i := range e.Closed {
		e.Closed[i].read(&c)
	}
	c.SkipN(more)
	return decoded(&c, "Events")
}
