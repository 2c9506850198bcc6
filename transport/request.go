package transport

import "github.com/ferrymq/ferrymq/transport/wire"

// Request publishes one message that asks for an answer until its deadline
// attribute. The answer comes as an Answer under the operation's number.
type Request struct {
	OpHeader
	Queue   string
	NoRetry bool     // the loss of its responder is the answer: CodeResponderLost
	Records []byte   // one record as a msgpack binary; aliases the frame
	Taken   []uint64 // numbers of requests whose Answers have come, at most TakenMax: the group keeps them no longer
}

// Reply settles the delivery of a request with its answer, a record of at
// most AnswerMax logical bytes.
type Reply struct {
	OpHeader
	Incarnation uint64 // with Place and Token, of the delivery
	Place       uint64
	Token       uint64
	Records     []byte // one record as a msgpack binary; aliases the frame
}

// Await asks again for the answer to a request, after an attach. It is not an
// operation: it has no number of its own, and may be repeated. It is answered
// by a Result: CodeNotFound if the group does not know the request (any more),
// CodeOK with Value 0 if it has no answer yet, and with Value 1 if the Answer
// comes again.
type Await struct {
	Handle uint32
	Number uint64 // of the Request
}

// Answer tells how a request ended. It may come more than once.
type Answer struct {
	Handle   uint32
	Number   uint64 // of the Request
	Code     Code   // CodeOK: answered; CodeResponderLost, CodeExpired, CodeDeadLettered
	Group    uint32 // Group, Index, Position: the answer's id, zero without a record
	Index    uint64
	Position uint32
	Record   []byte // the answer; empty if it was acknowledged without one; aliases the frame
}

const answerLeast = 9 // its record takes two

// readBinary reads a binary as it stands, head included.
func readBinary(c *wire.Cursor, payload []byte) []byte {
	from := c.Offset()
	c.Bytes()
	if c.Err() != nil {
		return nil
	}
	return payload[from:c.Offset():c.Offset()]
}

// AppendTo appends the body. Records must hold one binary.
func (r Request) AppendTo(b []byte) []byte {
	b = wire.AppendArrayLen(b, 5)
	b = r.OpHeader.AppendTo(b)
	b = wire.AppendString(b, r.Queue)
	b = wire.AppendBool(b, r.NoRetry)
	b = append(b, r.Records...)
	b = wire.AppendArrayLen(b, len(r.Taken))
	for _, number := range r.Taken {
		b = wire.AppendUint(b, number)
	}
	return b
}

// Decode reads the body. Records aliases the payload and holds one binary.
func (r *Request) Decode(payload []byte) error {
	c := wire.NewCursor(payload)
	more := c.Fields(4)
	r.OpHeader.read(&c)
	r.Queue = c.StringMax(QueueNameMax)
	r.NoRetry = c.Bool()
	r.Records = readBinary(&c, payload)
	r.Taken = nil
	if more >= 1 {
		for range c.ArrayLen(TakenMax) {
			r.Taken = append(r.Taken, c.Uint())
		}
		more--
	}
	c.SkipN(more)
	return decoded(&c, "Request")
}

// AppendTo appends the body. Records must hold one binary.
func (r Reply) AppendTo(b []byte) []byte {
	b = wire.AppendArrayLen(b, 5)
	b = r.OpHeader.AppendTo(b)
	b = wire.AppendUint(b, r.Incarnation)
	b = wire.AppendUint(b, r.Place)
	b = wire.AppendUint(b, r.Token)
	return append(b, r.Records...)
}

// Decode reads the body. Records aliases the payload and holds one binary.
func (r *Reply) Decode(payload []byte) error {
	c := wire.NewCursor(payload)
	more := c.Fields(5)
	r.OpHeader.read(&c)
	r.Incarnation = c.Uint()
	r.Place = c.Uint()
	r.Token = c.Uint()
	r.Records = readBinary(&c, payload)
	c.SkipN(more)
	return decoded(&c, "Reply")
}

// AppendTo appends the body.
func (a Await) AppendTo(b []byte) []byte {
	b = wire.AppendArrayLen(b, 2)
	b = wire.AppendUint(b, uint64(a.Handle))
	return wire.AppendUint(b, a.Number)
}

// Decode reads the body.
func (a *Await) Decode(payload []byte) error {
	c := wire.NewCursor(payload)
	more := c.Fields(2)
	a.Handle = c.Uint32()
	a.Number = c.Uint()
	c.SkipN(more)
	return decoded(&c, "Await")
}

// AppendTo appends the answer.
func (a *Answer) AppendTo(b []byte) []byte {
	b = wire.AppendArrayLen(b, 7)
	b = wire.AppendUint(b, uint64(a.Handle))
	b = wire.AppendUint(b, a.Number)
	b = wire.AppendUint(b, uint64(a.Code))
	b = wire.AppendUint(b, uint64(a.Group))
	b = wire.AppendUint(b, a.Index)
	b = wire.AppendUint(b, uint64(a.Position))
	return wire.AppendBytes(b, a.Record)
}

func (a *Answer) read(c *wire.Cursor) {
	more := c.Fields(7)
	a.Handle = c.Uint32()
	a.Number = c.Uint()
	a.Code = Code(c.Uint16())
	a.Group = c.Uint32()
	a.Index = c.Uint()
	a.Position = c.Uint32()
	a.Record = c.Bytes()
	c.SkipN(more)
}
