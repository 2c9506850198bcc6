package transport

import "github.com/ferrymq/ferrymq/transport/wire"

// Results, deliveries, closings and answers, by hand: everything one entry has for one
// connection. The least sizes are those of an element whose every field takes
// a byte; they keep what a decoder allocates in proportion to its input.
const (
	verdictLeast  = 4
	attemptLeast  = 22 // its session takes 18
	resultLeast   = 10
	deliveryLeast = 17 // its record takes two
	closedLeast   = 4
)

// AppendTo appends the verdict.
func (v Verdict) AppendTo(b []byte) []byte {
	n := 3
	if v.FirstIndex != 0 {
		n = 5
	}
	b = wire.AppendArrayLen(b, n)
	b = wire.AppendUint(b, uint64(v.Code))
	b = wire.AppendUint(b, uint64(v.Cause))
	b = wire.AppendUint(b, uint64(v.RetryAfterMs))
	if v.FirstIndex != 0 {
		b = wire.AppendUint(b, v.FirstIndex)
		b = wire.AppendUint(b, uint64(v.FirstPosition))
	}
	return b
}

func (v *Verdict) read(c *wire.Cursor) {
	more := c.Fields(3)
	v.Code = Code(c.Uint16())
	v.Cause = Cause(c.Uint8())
	v.RetryAfterMs = c.Uint32()
	if more >= 2 {
		v.FirstIndex = c.Uint()
		v.FirstPosition = c.Uint32()
		more -= 2
	}
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

// AppendTo appends the attempt.
func (a *Attempt) AppendTo(b []byte) []byte {
	b = wire.AppendArrayLen(b, 5)
	b = wire.AppendInt(b, a.AtMs)
	b = wire.AppendBytes(b, a.Session[:])
	b = wire.AppendUint(b, uint64(a.Consumer))
	b = wire.AppendUint(b, a.Token)
	return wire.AppendString(b, a.Error)
}

func (a *Attempt) read(c *wire.Cursor) {
	more := c.Fields(5)
	a.AtMs = c.Int()
	a.Session = readSession(c)
	a.Consumer = c.Uint32()
	a.Token = c.Uint()
	a.Error = c.String()
	c.SkipN(more)
}

// AppendTo appends the death.
func (d *Death) AppendTo(b []byte) []byte {
	b = wire.AppendArrayLen(b, 8)
	b = wire.AppendString(b, d.Queue)
	b = wire.AppendString(b, d.Reason)
	b = wire.AppendUint(b, uint64(d.Attempts))
	b = wire.AppendUint(b, uint64(d.Failures))
	b = wire.AppendString(b, d.Error)
	b = wire.AppendInt(b, d.AtMs)
	b = wire.AppendArrayLen(b, len(d.History))
	for i := range d.History {
		b = d.History[i].AppendTo(b)
	}
	return wire.AppendUint(b, uint64(d.Forgotten))
}

func (d *Death) read(c *wire.Cursor) {
	more := c.Fields(6)
	d.Queue = c.StringMax(QueueNameMax)
	d.Reason = c.String()
	d.Attempts = c.Uint32()
	d.Failures = c.Uint32()
	d.Error = c.String()
	d.AtMs = c.Int()
	if more >= 2 {
		d.readHistory(c)
		more -= 2
	}
	c.SkipN(more)
}

func (d *Death) readHistory(c *wire.Cursor) {
	if n := c.ArrayLenOf(EventsItemsMax, attemptLeast); n > 0 {
		d.History = make([]Attempt, n)
	}
	for i := range d.History {
		d.History[i].read(c)
	}
	d.Forgotten = c.Uint32()
}

// AppendTo appends the delivery.
func (d *Delivery) AppendTo(b []byte) []byte {
	n := 15
	if d.Request {
		n = 16
	}
	b = wire.AppendArrayLen(b, n)
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
	b = wire.AppendBytes(b, d.Record)
	if d.Request {
		b = wire.AppendBool(b, true)
	}
	return b
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
	d.Request = false
	if more >= 1 {
		d.Request = c.Bool()
		more--
	}
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
	b = wire.AppendArrayLen(b, 4)
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
	b = wire.AppendArrayLen(b, len(e.Answers))
	for i := range e.Answers {
		b = e.Answers[i].AppendTo(b)
	}
	return b
}

// Decode reads the body. It reuses the memory of the four lists; records
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
	answers := 0
	if more >= 1 {
		answers = c.ArrayLenOf(EventsItemsMax, answerLeast)
		more--
	}
	e.Answers = resize(e.Answers, answers)
	for i := range e.Answers {
		e.Answers[i].read(&c)
	}
	c.SkipN(more)
	return decoded(&c, "Events")
}
