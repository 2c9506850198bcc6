package record

import (
	"encoding/binary"
	"fmt"
)

// head is the fixed part, checked against the record's length.
type head struct {
	attributes int
	headers    int
}

// body is where the body begins.
func (h head) body() int { return HeadSize + h.attributes + h.headers }

func fail(err error, part string, offset int, detail string) error {
	return &Error{Err: err, Part: part, Offset: offset, Detail: detail}
}

// scanHead reads the fixed part of a record that is exactly b.
func scanHead(b []byte) (h head, err error) {
	if len(b) < HeadSize {
		return h, fail(ErrTruncated, "head", len(b), fmt.Sprintf("%d bytes, at least %d", len(b), HeadSize))
	}
	if b[offVersion] != Version {
		return h, fail(ErrVersion, "head", offVersion, fmt.Sprintf("%d", b[offVersion]))
	}
	if b[offFlags] != 0 {
		return h, fail(ErrFlags, "head", offFlags, fmt.Sprintf("%#x", b[offFlags]))
	}
	if n := binary.BigEndian.Uint32(b); uint64(n) != uint64(len(b)) {
		return h, fail(ErrLength, "head", 0, fmt.Sprintf("says %d bytes, has %d", n, len(b)))
	}
	h.attributes = int(binary.BigEndian.Uint16(b[offAttributes:]))
	headers := binary.BigEndian.Uint32(b[offHeaders:])
	left := len(b) - HeadSize - h.attributes
	switch {
	case h.attributes > AttributesMax:
		return h, fail(ErrTooLarge, "attributes", offAttributes, fmt.Sprintf("%d bytes, at most %d", h.attributes, AttributesMax))
	case left < 0:
		return h, fail(ErrLength, "attributes", offAttributes, "longer than the record")
	case headers > HeaderBytesMax:
		return h, fail(ErrTooLarge, "headers", offHeaders, fmt.Sprintf("%d bytes, at most %d", headers, HeaderBytesMax))
	case int(headers) > left:
		return h, fail(ErrLength, "headers", offHeaders, "longer than the record")
	case left > MessageMax:
		return h, fail(ErrTooLarge, "message", 0, fmt.Sprintf("%d bytes of headers and body, at most %d", left, MessageMax))
	}
	h.headers = int(headers)
	return h, nil
}

// uvarint reads the length of a value that ends by end; value is where it begins.
func uvarint(b []byte, off, end int, part string) (n, value int, err error) {
	v, size := binary.Uvarint(b[off:end])
	switch {
	case size <= 0 || v > 1<<32-1:
		return 0, 0, fail(ErrVarint, part, off, "")
	case size > 1 && b[off+size-1] == 0:
		return 0, 0, fail(ErrVarint, part, off, "not in its shortest form")
	case v > uint64(end-off-size):
		return 0, 0, fail(ErrTruncated, part, off, "a value is longer than what is left")
	}
	return int(v), off + size, nil
}

// attributes is a position among the attributes of a record.
type attributes struct {
	b    []byte
	off  int
	end  int
	last int // tag
}

func (h head) eachAttribute(b []byte) attributes {
	return attributes{b: b, off: HeadSize, end: HeadSize + h.attributes}
}

func (a *attributes) more() bool { return a.off < a.end }

// next reads one attribute. A known one has a value of the right size.
func (a *attributes) next() (t Tag, value []byte, err error) {
	at := a.off
	t = Tag(a.b[at])
	if int(t) <= a.last {
		return 0, nil, fail(ErrOrder, "attributes", at, fmt.Sprintf("tag %d after %d", t, a.last))
	}
	a.last = int(t)
	if t > tagLast && t < tagIgnorable {
		return 0, nil, fail(ErrUnknownAttribute, "attributes", at, fmt.Sprintf("tag %d", t))
	}
	n, from, err := uvarint(a.b, at+1, a.end, "attributes")
	if err != nil {
		return 0, nil, err
	}
	a.off = from + n
	value = a.b[from:a.off:a.off]
	if t >= tagIgnorable {
		return t, value, nil
	}
	text, size := t.text()
	switch {
	case text && (n == 0 || n > KeyMax):
		return 0, nil, fail(ErrValue, t.String(), at, fmt.Sprintf("%d bytes, must be 1 to %d", n, KeyMax))
	case !text && n != size:
		return 0, nil, fail(ErrValue, t.String(), at, fmt.Sprintf("%d bytes, must be %d", n, size))
	case t == TagPriority && value[0] > PriorityMax:
		return 0, nil, fail(ErrValue, t.String(), at, fmt.Sprintf("%d, must be 0 to %d", value[0], PriorityMax))
	}
	return t, value, nil
}

// nextHeader reads the header at off; next is where the one after it begins.
func nextHeader(b []byte, off, end int) (key, value []byte, next int, err error) {
	n, from, err := uvarint(b, off, end, "headers")
	if err != nil {
		return nil, nil, 0, err
	}
	key = b[from : from+n : from+n]
	n, from, err = uvarint(b, from+n, end, "headers")
	if err != nil {
		return nil, nil, 0, err
	}
	return key, b[from : from+n : from+n], from + n, nil
}
