package transport

import "github.com/ferrymq/ferrymq/transport/wire"

// What operators do to messages, breakers, groups and tenants.

// AmendAction is what an Amend does to messages.
type AmendAction uint8

const (
	AmendDelete   AmendAction = 1 // gone for good; not a leased one
	AmendMove     AmendAction = 2 // to another queue, under the same id; not a leased one
	AmendRequeue  AmendAction = 3 // ready now, behind everything else; its lease, if it has one, ends
	AmendSchedule AmendAction = 4 // ready at a time; not a leased one
)

// Amend does one thing to messages of a queue. Each is judged for itself, in order.
type Amend struct {
	OpHeader
	Queue  string
	Action AmendAction
	To     string // AmendMove: the queue, or "" for where each dead letter came from
	AtMs   int64  // AmendSchedule: Unix milliseconds; in the past: now
	Reset  bool   // AmendMove, AmendRequeue: forget attempts, failures and history
	Items  []AmendItem
}

// AmendItem names a message: by its place, and by its id so that nothing else
// is hit when the place is another message's by now.
type AmendItem struct {
	Place    uint64
	Index    uint64
	Position uint32
}

// BreakerAction is what an operator does to a circuit breaker.
type BreakerAction uint8

const (
	BreakerOpen  BreakerAction = 1 // until it is closed by hand
	BreakerClose BreakerAction = 2 // its window starts anew
)

// QueueBreaker opens or closes a queue's circuit breaker by hand.
type QueueBreaker struct {
	OpHeader
	Queue  string
	Action BreakerAction
}

// GroupResume lets a parked message group of a queue go on.
type GroupResume struct {
	OpHeader
	Queue    string
	GroupKey string
}

// TenantWeight sets how many messages a tenant of a fair queue gets in a round.
type TenantWeight struct {
	OpHeader
	Queue  string
	Tenant string
	Weight uint32 // 0: 1; at most 1,000
}

const amendItemLeast = 4

// AppendTo appends the item.
func (a AmendItem) AppendTo(b []byte) []byte {
	b = wire.AppendArrayLen(b, 3)
	b = wire.AppendUint(b, a.Place)
	b = wire.AppendUint(b, a.Index)
	return wire.AppendUint(b, uint64(a.Position))
}

func (a *AmendItem) read(c *wire.Cursor) {
	more := c.Fields(3)
	a.Place = c.Uint()
	a.Index = c.Uint()
	a.Position = c.Uint32()
	c.SkipN(more)
}

// AppendTo appends the body.
func (a Amend) AppendTo(b []byte) []byte {
	b = wire.AppendArrayLen(b, 7)
	b = a.OpHeader.AppendTo(b)
	b = wire.AppendString(b, a.Queue)
	b = wire.AppendUint(b, uint64(a.Action))
	b = wire.AppendString(b, a.To)
	b = wire.AppendInt(b, a.AtMs)
	b = wire.AppendBool(b, a.Reset)
	b = wire.AppendArrayLen(b, len(a.Items))
	for i := range a.Items {
		b = a.Items[i].AppendTo(b)
	}
	return b
}

// Decode reads the body. It reuses the memory of Items.
func (a *Amend) Decode(payload []byte) error {
	c := wire.NewCursor(payload)
	more := c.Fields(7)
	a.OpHeader.read(&c)
	a.Queue = c.StringMax(QueueNameMax)
	a.Action = AmendAction(c.Uint8())
	a.To = c.StringMax(QueueNameMax)
	a.AtMs = c.Int()
	a.Reset = c.Bool()
	a.Items = resize(a.Items, c.ArrayLenOf(MessagesMax, amendItemLeast))
	for i := range a.Items {
		a.Items[i].read(&c)
	}
	c.SkipN(more)
	return decoded(&c, "Amend")
}
