package fsm

import "github.com/ferrymq/ferrymq/transport/wire"

// A command in an entry is one msgpack binary. Inside it: the kind, then the
// fields in the order of the struct in command.go, each a msgpack value; the
// header of an operation comes first. The records of a publish are the rest
// of the binary. Nothing may follow: new fields come with a new machine version.

// seal puts the head of the binary before the content that the caller
// appended at dst[from:].
func seal(dst []byte, from int) []byte {
	n := len(dst) - from
	var head [5]byte
	h := wire.AppendBytesLen(head[:0], n)
	dst = append(dst, h...)
	copy(dst[from+len(h):], dst[from:from+n])
	copy(dst[from:], h)
	return dst
}

func appendKind(dst []byte, k Kind) []byte { return append(dst, byte(k)) }

func appendHeader(dst []byte, k Kind, h *OpHeader) []byte {
	dst = appendKind(dst, k)
	dst = wire.AppendBytes(dst, h.Session[:])
	dst = wire.AppendUint(dst, h.Epoch)
	dst = wire.AppendUint(dst, h.Number)
	dst = wire.AppendUint(dst, h.AnsweredThrough)
	dst = wire.AppendBool(dst, h.Ordered)
	return wire.AppendUint(dst, h.Predecessor)
}

func AppendLeader(dst []byte, c *Leader) []byte {
	from := len(dst)
	return seal(wire.AppendString(appendKind(dst, KindLeader), c.Node), from)
}

func AppendDetachNode(dst []byte, c *DetachNode) []byte {
	from := len(dst)
	return seal(wire.AppendString(appendKind(dst, KindDetachNode), c.Node), from)
}

func AppendOpen(dst []byte, c *Open) []byte {
	from := len(dst)
	dst = appendKind(dst, KindOpen)
	dst = wire.AppendBytes(dst, c.Session[:])
	dst = wire.AppendBytes(dst, c.Secret[:])
	dst = wire.AppendString(dst, c.Principal)
	dst = wire.AppendUint(dst, uint64(c.IdleExpiryMillis))
	return seal(dst, from)
}

func AppendAttach(dst []byte, c *Attach) []byte {
	from := len(dst)
	dst = appendKind(dst, KindAttach)
	dst = wire.AppendBytes(dst, c.Session[:])
	dst = wire.AppendBytes(dst, c.Secret[:])
	dst = wire.AppendUint(dst, c.Epoch)
	dst = wire.AppendString(dst, c.Node)
	dst = wire.AppendBool(dst, c.Resume)
	dst = appendNumbers(dst, c.Tokens)
	return seal(dst, from)
}

func AppendDetach(dst []byte, c *Detach) []byte {
	from := len(dst)
	dst = appendKind(dst, KindDetach)
	dst = wire.AppendBytes(dst, c.Session[:])
	dst = wire.AppendUint(dst, c.Epoch)
	dst = wire.AppendString(dst, c.Node)
	dst = wire.AppendUint(dst, uint64(c.Cause))
	return seal(dst, from)
}

func AppendEnd(dst []byte, c *End) []byte {
	from := len(dst)
	dst = appendKind(dst, KindEnd)
	dst = wire.AppendBytes(dst, c.Session[:])
	dst = wire.AppendUint(dst, c.Epoch)
	return seal(dst, from)
}

// AppendPublish copies the records as they are.
func AppendPublish(dst []byte, c *Publish) []byte {
	// The head first, into spare room: the records are large, and moving them
	// to make room for the length of the binary would copy them twice.
	var room [512]byte
	head := appendHeader(room[:0], KindPublish, &c.OpHeader)
	head = wire.AppendString(head, c.Queue)
	head = wire.AppendUint(head, uint64(c.Count))
	dst = wire.AppendBytesLen(dst, len(head)+len(c.Records))
	dst = append(dst, head...)
	return append(dst, c.Records...)
}

func AppendSettle(dst []byte, c *Settle) []byte {
	from := len(dst)
	dst = appendHeader(dst, KindSettle, &c.OpHeader)
	return seal(appendSettles(dst, c.Items), from)
}

func appendSettles(dst []byte, items []SettleItem) []byte {
	dst = wire.AppendArrayLen(dst, len(items))
	for i := range items {
		it := &items[i]
		dst = wire.AppendUint(dst, it.Incarnation)
		dst = wire.AppendUint(dst, it.Place)
		dst = wire.AppendUint(dst, it.Token)
		dst = wire.AppendUint(dst, uint64(it.Action))
		dst = wire.AppendUint(dst, uint64(it.Reason))
		dst = wire.AppendUint(dst, uint64(it.DelayMillis))
		dst = wire.AppendString(dst, it.Error)
	}
	return dst
}

func AppendConsume(dst []byte, c *Consume) []byte {
	from := len(dst)
	dst = appendHeader(dst, KindConsume, &c.OpHeader)
	dst = wire.AppendUint(dst, uint64(c.Consumer))
	dst = wire.AppendString(dst, c.Queue)
	dst = wire.AppendUint(dst, uint64(c.CreditMessages))
	dst = wire.AppendUint(dst, uint64(c.CreditBytes))
	dst = wire.AppendUint(dst, uint64(c.Concurrency))
	dst = wire.AppendBool(dst, c.NoAck)
	dst = wire.AppendUint(dst, uint64(c.LeaseMillis))
	return seal(dst, from)
}

func AppendCancel(dst []byte, c *Cancel) []byte {
	from := len(dst)
	dst = appendHeader(dst, KindCancel, &c.OpHeader)
	dst = wire.AppendUint(dst, uint64(c.Consumer))
	dst = wire.AppendBool(dst, c.Return)
	return seal(dst, from)
}

func AppendCredit(dst []byte, c *Credit) []byte {
	from := len(dst)
	dst = appendKind(dst, KindCredit)
	dst = wire.AppendBytes(dst, c.Session[:])
	dst = wire.AppendUint(dst, c.Epoch)
	dst = wire.AppendUint(dst, uint64(c.Consumer))
	dst = wire.AppendUint(dst, c.Through)
	return seal(dst, from)
}

func AppendQueueCreate(dst []byte, c *QueueCreate) []byte {
	from := len(dst)
	dst = wire.AppendString(appendHeader(dst, KindQueueCreate, &c.OpHeader), c.Queue)
	return seal(appendSettings(dst, &c.Settings), from)
}

func AppendQueueUpdate(dst []byte, c *QueueUpdate) []byte {
	from := len(dst)
	dst = wire.AppendString(appendHeader(dst, KindQueueUpdate, &c.OpHeader), c.Queue)
	return seal(appendSettings(dst, &c.Settings), from)
}

func AppendQueueDelete(dst []byte, c *QueueDelete) []byte {
	from := len(dst)
	dst = wire.AppendString(appendHeader(dst, KindQueueDelete, &c.OpHeader), c.Queue)
	dst = wire.AppendBool(dst, c.IfEmpty)
	return seal(wire.AppendBool(dst, c.IfUnused), from)
}

func AppendQueuePurge(dst []byte, c *QueuePurge) []byte {
	from := len(dst)
	return seal(wire.AppendString(appendHeader(dst, KindQueuePurge, &c.OpHeader), c.Queue), from)
}

func AppendQueuePause(dst []byte, c *QueuePause) []byte {
	from := len(dst)
	dst = wire.AppendString(appendHeader(dst, KindQueuePause, &c.OpHeader), c.Queue)
	return seal(wire.AppendBool(dst, c.Paused), from)
}

func AppendSetVersion(dst []byte, c *SetVersion) []byte {
	from := len(dst)
	return seal(wire.AppendUint(appendKind(dst, KindVersion), uint64(c.Version)), from)
}

func AppendCheckpoint(dst []byte) []byte {
	from := len(dst)
	return seal(appendKind(dst, KindCheckpoint), from)
}

func appendNumbers(dst []byte, all []uint64) []byte {
	dst = wire.AppendArrayLen(dst, len(all))
	for _, n := range all {
		dst = wire.AppendUint(dst, n)
	}
	return dst
}
