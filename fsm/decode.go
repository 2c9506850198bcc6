package fsm

import (
	"errors"

	"github.com/ferrymq/ferrymq/transport/wire"
)

// The mistakes of an entry, wrapped with where they are. None can be caused
// by a client: a node that meets one must stop.
var (
	ErrEntry   = errors.New("undecodable entry")
	ErrVersion = errors.New("entry of a newer machine version")
	ErrBroken  = errors.New("broken invariant")
)

var errKind = errors.New("unknown command kind")

// No length is limited here beyond the entry's own: whatever the Append
// functions wrote from a client's request must be readable, and is judged
// where it is carried out.

func readFixed(c *wire.Cursor, dst []byte) {
	at := c.Offset()
	b := c.BytesMax(len(dst))
	if c.Err() == nil && len(b) != len(dst) {
		c.Fail(at, wire.ErrTruncated, "fixed length")
		return
	}
	copy(dst, b)
}

func (h *OpHeader) read(c *wire.Cursor) {
	readFixed(c, h.Session[:])
	h.Epoch = c.Uint()
	h.Number = c.Uint()
	h.AnsweredThrough = c.Uint()
	h.Ordered = c.Bool()
	h.Predecessor = c.Uint()
}

func (x *Leader) read(c *wire.Cursor)     { x.Node = c.String() }
func (x *DetachNode) read(c *wire.Cursor) { x.Node = c.String() }

func (x *Open) read(c *wire.Cursor) {
	readFixed(c, x.Session[:])
	readFixed(c, x.Secret[:])
	x.Principal = c.String()
	x.IdleExpiryMillis = c.Uint32()
}

func (x *Attach) read(c *wire.Cursor) {
	readFixed(c, x.Session[:])
	readFixed(c, x.Secret[:])
	x.Epoch = c.Uint()
	x.Node = c.String()
	x.Resume = c.Bool()
	x.Tokens = readNumbers(c)
}

func (x *Detach) read(c *wire.Cursor) {
	readFixed(c, x.Session[:])
	x.Epoch = c.Uint()
	x.Node = c.String()
	x.Cause = DetachCause(c.Uint8())
}

func (x *End) read(c *wire.Cursor) {
	readFixed(c, x.Session[:])
	x.Epoch = c.Uint()
}

func (x *Publish) read(c *wire.Cursor) {
	x.OpHeader.read(c)
	x.Queue = c.String()
	x.Count = c.Uint32() // the records are the rest of the binary: decodePublish
}

// settleItemMin is the least an encoded SettleItem takes, so that a claimed
// length never makes a decoder allocate more than its input justifies.
const settleItemMin = 7

func (x *Settle) read(c *wire.Cursor) {
	x.OpHeader.read(c)
	x.Items = readSettles(c, x.Items[:0])
}

func readSettles(c *wire.Cursor, items []SettleItem) []SettleItem {
	n := c.ArrayLen(c.Left() / settleItemMin)
	for range n {
		items = append(items, SettleItem{
			Incarnation: c.Uint(), Place: c.Uint(), Token: c.Uint(),
			Action: Action(c.Uint8()), Reason: Reason(c.Uint8()),
			DelayMillis: c.Uint32(), Error: c.String(),
		})
		if c.Err() != nil {
			break
		}
	}
	return items
}

func (x *Consume) read(c *wire.Cursor) {
	x.OpHeader.read(c)
	x.Consumer = c.Uint32()
	x.Queue = c.String()
	x.CreditMessages = c.Uint32()
	x.CreditBytes = c.Uint32()
	x.Concurrency = c.Uint32()
	x.NoAck = c.Bool()
	x.LeaseMillis = c.Uint32()
}

func (x *Cancel) read(c *wire.Cursor) {
	x.OpHeader.read(c)
	x.Consumer = c.Uint32()
	x.Return = c.Bool()
}

func (x *Credit) read(c *wire.Cursor) {
	readFixed(c, x.Session[:])
	x.Epoch = c.Uint()
	x.Consumer = c.Uint32()
	x.Through = c.Uint()
}

func (x *QueueCreate) read(c *wire.Cursor) {
	x.OpHeader.read(c)
	x.Queue = c.String()
	x.Settings.read(c)
}

func (x *QueueUpdate) read(c *wire.Cursor) {
	x.OpHeader.read(c)
	x.Queue = c.String()
	x.Settings.read(c)
}

func (x *QueueDelete) read(c *wire.Cursor) {
	x.OpHeader.read(c)
	x.Queue = c.String()
	x.IfEmpty = c.Bool()
	x.IfUnused = c.Bool()
}

func (x *QueuePurge) read(c *wire.Cursor) {
	x.OpHeader.read(c)
	x.Queue = c.String()
}

func (x *QueuePause) read(c *wire.Cursor) {
	x.OpHeader.read(c)
	x.Queue = c.String()
	x.Paused = c.Bool()
}

func (x *SetVersion) read(c *wire.Cursor) { x.Version = Version(c.Uint16()) }

func (x *Checkpoint) read(*wire.Cursor) {}

func readNumbers(c *wire.Cursor) (all []uint64) {
	if n := c.ArrayLen(c.Left()); n > 0 {
		all = make([]uint64, n)
	}
	for i := range all {
		all[i] = c.Uint()
	}
	return all
}
