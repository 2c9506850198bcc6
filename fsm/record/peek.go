package record

import "encoding/binary"

// Info is what the state machine needs to know of a record. An attribute's
// field is its value only if Present has it, and else left from before.
type Info struct {
	Size    int // of the whole record
	Logical int // headers and body: what limits count
	Present Set

	Priority        uint8
	TTLMillis       uint64
	DelayMillis     uint64
	DeliverAtMillis uint64
	DeadlineMillis  uint64
	DedupID         []byte // these alias the record
	Group           []byte
	ReplyTo         []byte
	Tenant          []byte
	Subject         []byte
}

// Set of known attributes.
type Set uint16

// Has tells whether the attribute is in the set.
func (s Set) Has(t Tag) bool { return t <= tagLast && s&(1<<t) != 0 }

// Peek reads the structure of a record that is exactly b: lengths, version and
// attributes. It reads neither headers nor body, and no checksum. Its verdict
// on given bytes is the same on every replica for ever.
func (i *Info) Peek(b []byte) error {
	h, err := scanHead(b)
	if err != nil {
		return err
	}
	i.Size, i.Logical, i.Present = len(b), len(b)-HeadSize-h.attributes, 0
	for a := h.eachAttribute(b); a.more(); {
		t, value, err := a.next()
		if err != nil {
			return err
		}
		if t < tagIgnorable {
			i.Present |= 1 << t
			i.take(t, value)
		}
	}
	return nil
}

func (i *Info) take(t Tag, value []byte) {
	switch t {
	case TagPriority:
		i.Priority = value[0]
	case TagTTL:
		i.TTLMillis = binary.BigEndian.Uint64(value)
	case TagDelay:
		i.DelayMillis = binary.BigEndian.Uint64(value)
	case TagDeliverAt:
		i.DeliverAtMillis = binary.BigEndian.Uint64(value)
	case TagDeadline:
		i.DeadlineMillis = binary.BigEndian.Uint64(value)
	case TagDedupID:
		i.DedupID = value
	case TagGroupKey:
		i.Group = value
	case TagReplyTo:
		i.ReplyTo = value
	case TagTenant:
		i.Tenant = value
	case TagSubject:
		i.Subject = value
	}
}
