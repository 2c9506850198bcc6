package transport

import "github.com/ferrymq/ferrymq/transport/wire"

// The hot bodies between nodes, by hand.

const (
	peerResultLeast   = 2 + resultLeast
	peerDeliveryLeast = 20 + deliveryLeast
	peerClosedLeast   = 20 + closedLeast
	peerAnswerLeast   = 20 + answerLeast
)

// AppendTo appends the body. Commands must hold Count binaries.
func (p PeerSubmit) AppendTo(b []byte) []byte {
	b = wire.AppendArrayLen(b, 3)
	b = wire.AppendUint(b, uint64(p.Group))
	b = wire.AppendUint(b, p.First)
	b = wire.AppendArrayLen(b, int(p.Count))
	return append(b, p.Commands...)
}

// Decode reads the body. Commands aliases the payload and holds Count
// binaries; what is in them is not looked at.
func (p *PeerSubmit) Decode(payload []byte) error {
	c := wire.NewCursor(payload)
	more := c.Fields(3)
	p.Group = c.Uint32()
	p.First = c.Uint()
	p.Count, p.Commands = readBinaries(&c, payload, CommandsMax)
	c.SkipN(more)
	return decoded(&c, "PeerSubmit")
}

// AppendTo appends the result.
func (r *PeerResult) AppendTo(b []byte) []byte {
	b = wire.AppendArrayLen(b, 2)
	b = wire.AppendUint(b, r.Number)
	return r.Result.AppendTo(b)
}

func (r *PeerResult) read(c *wire.Cursor) {
	more := c.Fields(2)
	r.Number = c.Uint()
	r.Result.read(c)
	c.SkipN(more)
}

// appendSession appends the session, the epoch, and leaves the third field to the caller.
func appendSession(b []byte, id *SessionID, epoch uint64) []byte {
	b = wire.AppendArrayLen(b, 3)
	b = wire.AppendBytes(b, id[:])
	return wire.AppendUint(b, epoch)
}

// readSession reads a session's id.
func readSession(c *wire.Cursor) (id SessionID) {
	from := c.Offset()
	v := c.BytesMax(len(id))
	if c.Err() == nil && len(v) != len(id) {
		c.Fail(from, wire.ErrTooShort, "want 16 bytes")
	}
	copy(id[:], v)
	return id
}

// AppendTo appends the delivery.
func (d *PeerDelivery) AppendTo(b []byte) []byte {
	return d.Delivery.AppendTo(appendSession(b, &d.Session, d.Epoch))
}

func (d *PeerDelivery) read(c *wire.Cursor) {
	more := c.Fields(3)
	d.Session = readSession(c)
	d.Epoch = c.Uint()
	d.Delivery.read(c)
	c.SkipN(more)
}

// AppendTo appends the closing.
func (x *PeerClosed) AppendTo(b []byte) []byte {
	return x.Closed.AppendTo(appendSession(b, &x.Session, x.Epoch))
}

func (x *PeerClosed) read(c *wire.Cursor) {
	more := c.Fields(3)
	x.Session = readSession(c)
	x.Epoch = c.Uint()
	x.Closed.read(c)
	c.SkipN(more)
}

// AppendTo appends the answer.
func (a *PeerAnswer) AppendTo(b []byte) []byte {
	return a.Answer.AppendTo(appendSession(b, &a.Session, a.Epoch))
}

func (a *PeerAnswer) read(c *wire.Cursor) {
	more := c.Fields(3)
	a.Session = readSession(c)
	a.Epoch = c.Uint()
	a.Answer.read(c)
	c.SkipN(more)
}

// AppendTo appends the body.
func (e *PeerEvents) AppendTo(b []byte) []byte {
	b = wire.AppendArrayLen(b, 6)
	b = wire.AppendUint(b, uint64(e.Group))
	b = wire.AppendUint(b, e.Term)
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
func (e *PeerEvents) Decode(payload []byte) error {
	c := wire.NewCursor(payload)
	more := c.Fields(5)
	e.Group = c.Uint32()
	e.Term = c.Uint()
	e.Results = resize(e.Results, c.ArrayLenOf(EventsItemsMax, peerResultLeast))
	for i := range e.Results {
		e.Results[i].read(&c)
	}
	e.Deliveries = resize(e.Deliveries, c.ArrayLenOf(EventsItemsMax, peerDeliveryLeast))
	for i := range e.Deliveries {
		e.Deliveries[i].read(&c)
	}
	e.Closed = resize(e.Closed, c.ArrayLenOf(EventsItemsMax, peerClosedLeast))
	for i := range e.Closed {
		e.Closed[i].read(&c)
	}
	answers := 0
	if more >= 1 {
		answers = c.ArrayLenOf(EventsItemsMax, peerAnswerLeast)
		more--
	}
	e.Answers = resize(e.Answers, answers)
	for i := range e.Answers {
		e.Answers[i].read(&c)
	}
	c.SkipN(more)
	return decoded(&c, "PeerEvents")
}
