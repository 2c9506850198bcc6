package record

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"unicode/utf8"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// sizes of a message's parts.
type sizes struct{ attributes, headers, body int }

func (s sizes) total() int { return HeadSize + s.attributes + s.headers + s.body }

// measure adds up the parts. It does not check them.
func measure(m *Message) (s sizes) {
	m.each(func(t Tag, text string, _ uint64) {
		isText, n := t.text()
		if isText {
			n = len(text)
		}
		s.attributes += 1 + uvarintSize(n) + n
	})
	for i := range m.Headers {
		k, v := len(m.Headers[i].Key), len(m.Headers[i].Value)
		s.headers += uvarintSize(k) + k + uvarintSize(v) + v
	}
	s.body = len(m.Body)
	return s
}

// Size is the size of the message's record.
func Size(m *Message) int { return measure(m).total() }

// LogicalSize is the message's size as limits count it: headers and body.
func LogicalSize(m *Message) int {
	s := measure(m)
	return s.headers + s.body
}

// Append appends the message's record to dst, or returns dst as it was and
// what is wrong with the message.
func Append(dst []byte, m *Message) ([]byte, error) {
	s := measure(m)
	if err := m.check(s); err != nil {
		return dst, err
	}
	start := len(dst)
	dst = binary.BigEndian.AppendUint32(dst, uint32(s.total()))
	dst = append(dst, Version, 0)
	dst = binary.BigEndian.AppendUint16(dst, uint16(s.attributes))
	dst = append(dst, 0, 0, 0, 0)
	dst = binary.BigEndian.AppendUint32(dst, uint32(s.headers))
	dst = m.appendAttributes(dst)
	for i := range m.Headers {
		dst = appendText(dst, m.Headers[i].Key)
		dst = appendText(dst, m.Headers[i].Value)
	}
	dst = append(dst, m.Body...)
	b := dst[start:]
	binary.BigEndian.PutUint32(b[offCRC:], checksum(b))
	return dst, nil
}

// checksum of a record: everything but the checksum itself.
func checksum(b []byte) uint32 {
	sum := crc32.Update(0, castagnoli, b[:offCRC])
	return crc32.Update(sum, castagnoli, b[offHeaders:])
}

func (m *Message) appendAttributes(dst []byte) []byte {
	m.each(func(t Tag, text string, n uint64) {
		dst = append(dst, byte(t))
		switch isText, size := t.text(); {
		case isText:
			dst = appendText(dst, text)
		case size == 1:
			dst = append(dst, 1, byte(n))
		default:
			dst = binary.BigEndian.AppendUint64(append(dst, 8), n)
		}
	})
	return dst
}

func appendText(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

func uvarintSize(n int) int {
	size := 1
	for ; n >= 0x80; n >>= 7 {
		size++
	}
	return size
}

// check returns the first thing that is wrong with the message.
func (m *Message) check(s sizes) error {
	bad := func(err error, part, detail string) error {
		return &Error{Err: err, Part: part, Detail: detail}
	}
	if n := s.headers + s.body; n > MessageMax {
		return bad(ErrTooLarge, "message", fmt.Sprintf("%d bytes of headers and body, at most %d", n, MessageMax))
	}
	if s.headers > HeaderBytesMax {
		return bad(ErrTooLarge, "headers", fmt.Sprintf("%d bytes, at most %d", s.headers, HeaderBytesMax))
	}
	if len(m.Headers) > HeadersMax {
		return bad(ErrTooMany, "headers", fmt.Sprintf("%d, at most %d", len(m.Headers), HeadersMax))
	}
	var err error
	m.each(func(t Tag, text string, n uint64) {
		isText, _ := t.text()
		switch {
		case err != nil:
		case isText && len(text) > KeyMax:
			err = bad(ErrTooLarge, t.String(), fmt.Sprintf("%d bytes, at most %d", len(text), KeyMax))
		case isText && !utf8.ValidString(text):
			err = bad(ErrUTF8, t.String(), "")
		case t == TagPriority && n > PriorityMax:
			err = bad(ErrValue, t.String(), fmt.Sprintf("%d, at most %d", n, PriorityMax))
		}
	})
	if err != nil {
		return err
	}
	for i := range m.Headers {
		h := &m.Headers[i]
		switch {
		case h.Key == "":
			return bad(ErrValue, "headers", "empty key")
		case len(h.Key) > KeyMax:
			return bad(ErrTooLarge, "headers", fmt.Sprintf("key of %d bytes, at most %d", len(h.Key), KeyMax))
		case !utf8.ValidString(h.Key) || !utf8.ValidString(h.Value):
			return bad(ErrUTF8, "headers", fmt.Sprintf("header %q", h.Key))
		}
	}
	return nil
}
