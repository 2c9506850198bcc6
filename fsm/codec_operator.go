package fsm

import "github.com/ferrymq/ferrymq/transport/wire"

// The bytes of what operators do to messages, breakers, groups and tenants.

func AppendAmend(dst []byte, c *Amend) []byte {
	from := len(dst)
	dst = appendHeader(dst, KindAmend, &c.OpHeader)
	dst = wire.AppendString(dst, c.Queue)
	dst = wire.AppendUint(dst, uint64(c.Action))
	dst = wire.AppendString(dst, c.To)
	dst = wire.AppendInt(dst, c.AtMillis)
	dst = wire.AppendBool(dst, c.Reset)
	dst = wire.AppendArrayLen(dst, len(c.Items))
	for i := range c.Items {
		dst = wire.AppendUint(dst, c.Items[i].Place)
		dst = wire.AppendUint(dst, c.Items[i].Index)
		dst = wire.AppendUint(dst, uint64(c.Items[i].Position))
	}
	return seal(dst, from)
}

// amendItemMin is the least an encoded AmendItem takes.
const amendItemMin = 3

func (x *Amend) read(c *wire.Cursor) {
	x.OpHeader.read(c)
	x.Queue = c.String()
	x.Action = AmendAction(c.Uint8())
	x.To = c.String()
	x.AtMillis = c.Int()
	x.Reset = c.Bool()
	n := c.ArrayLen(c.Left() / amendItemMin)
	for range n {
		x.Items = append(x.Items, AmendItem{Place: c.Uint(), Index: c.Uint(), Position: c.Uint32()})
		if c.Err() != nil {
			return
		}
	}
}

func AppendBreaker(dst []byte, c *Breaker) []byte {
	from := len(dst)
	dst = wire.AppendString(appendHeader(dst, KindBreaker, &c.OpHeader), c.Queue)
	return seal(wire.AppendUint(dst, uint64(c.Action)), from)
}

func (x *Breaker) read(c *wire.Cursor) {
	x.OpHeader.read(c)
	x.Queue = c.String()
	x.Action = BreakerAction(c.Uint8())
}

func AppendGroupResume(dst []byte, c *GroupResume) []byte {
	from := len(dst)
	dst = wire.AppendString(appendHeader(dst, KindGroupResume, &c.OpHeader), c.Queue)
	return seal(wire.AppendString(dst, c.Group), from)
}

func (x *GroupResume) read(c *wire.Cursor) {
	x.OpHeader.read(c)
	x.Queue = c.String()
	x.Group = c.String()
}

func AppendTenantWeight(dst []byte, c *TenantWeight) []byte {
	from := len(dst)
	dst = wire.AppendString(appendHeader(dst, KindTenantWeight, &c.OpHeader), c.Queue)
	dst = wire.AppendString(dst, c.Tenant)
	return seal(wire.AppendUint(dst, uint64(c.Weight)), from)
}

func (x *TenantWeight) read(c *wire.Cursor) {
	x.OpHeader.read(c)
	x.Queue = c.String()
	x.Tenant = c.String()
	x.Weight = c.Uint32()
}
