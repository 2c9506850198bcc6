package record

// A record, big endian:
//
//	 0        4         5       6            8        12        16
//	+--------+---------+-------+------------+--------+---------+- - - - - -+- - - - -+- - - -+
//	| length | version | flags | attributes | CRC32C | headers | attributes| headers | body  |
//	| u32    | u8 = 1  | u8 = 0| length u16 | u32    | len u32 |           |         |       |
//	+--------+---------+-------+------------+--------+---------+- - - - - -+- - - - -+- - - -+
//
// length counts the whole record. The checksum covers everything but itself.
// The body is what follows the headers.
//
// Attributes, in strictly ascending order of tag:
//
//	tag u8 | length uvarint | value
//
// A reader refuses a tag below 128 that it does not know, because it changes
// what is to be done with the message, and passes over one from 128 on.
//
// Headers, in the producer's order:
//
//	key length uvarint | key | value length uvarint | value
//
// Keys may repeat. A uvarint is LEB128 of at most 32 bits in its shortest form.

// HeadSize is the size of the fixed part.
const HeadSize = 16

// Version of the layout.
const Version = 1

const (
	offVersion    = 4
	offFlags      = 5
	offAttributes = 6
	offCRC        = 8
	offHeaders    = 12
)

// Limits of a record.
const (
	MessageMax     = 1 << 20 // bytes of headers and body together
	HeadersMax     = 64      // headers
	HeaderBytesMax = 64 << 10
	KeyMax         = 256     // bytes of a header's key and of every text attribute
	AttributesMax  = 4 << 10 // bytes of all attributes
	PriorityMax    = 31

	// Max is the size of the largest record.
	Max = HeadSize + AttributesMax + MessageMax
)

// Tag names an attribute.
type Tag uint8

// The attributes. Texts are UTF-8 of 1 to 256 bytes; the priority is one byte,
// 0 to PriorityMax; times and durations are eight bytes, big endian.
const (
	TagContentType   Tag = 1
	TagCorrelationID Tag = 2
	TagDedupID       Tag = 3
	TagGroupKey      Tag = 4
	TagPriority      Tag = 5
	TagTTL           Tag = 6 // milliseconds
	TagDelay         Tag = 7 // milliseconds
	TagDeliverAt     Tag = 8 // Unix milliseconds
	TagReplyTo       Tag = 9
	TagTenant        Tag = 10
	TagDeadline      Tag = 11 // Unix milliseconds
	TagSubject       Tag = 12

	tagLast      = TagSubject
	tagIgnorable = 128
)

var tagNames = [...]string{
	TagContentType: "content type", TagCorrelationID: "correlation id",
	TagDedupID: "dedup id", TagGroupKey: "group key", TagPriority: "priority",
	TagTTL: "ttl", TagDelay: "delay", TagDeliverAt: "deliver-at",
	TagReplyTo: "reply-to", TagTenant: "tenant", TagDeadline: "deadline",
	TagSubject: "subject",
}

// String is the attribute's name.
func (t Tag) String() string {
	if t >= 1 && t <= tagLast {
		return tagNames[t]
	}
	return "unknown attribute"
}

// text tells that the value is a text; size is that of any other value.
func (t Tag) text() (text bool, size int) {
	switch t {
	case TagPriority:
		return false, 1
	case TagTTL, TagDelay, TagDeliverAt, TagDeadline:
		return false, 8
	}
	return true, 0
}
