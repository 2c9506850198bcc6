package record

import (
	"encoding/binary"
	"fmt"
	"unicode/utf8"
)

// Check verifies everything about a record that is exactly b: structure,
// limits, texts and checksum. A node checks every message once, where it
// comes in.
func Check(b []byte) error {
	h, err := scanHead(b)
	if err != nil {
		return err
	}
	if want, sum := binary.BigEndian.Uint32(b[offCRC:]), checksum(b); want != sum {
		return fail(ErrChecksum, "head", offCRC, fmt.Sprintf("says %08x, is %08x", want, sum))
	}
	if err := checkAttributes(b, h); err != nil {
		return err
	}
	return checkHeaders(b, h)
}

func checkAttributes(b []byte, h head) error {
	for a := h.eachAttribute(b); a.more(); {
		at := a.off
		t, value, err := a.next()
		if err != nil {
			return err
		}
		if t >= tagIgnorable {
			continue
		}
		if text, _ := t.text(); text && !utf8.Valid(value) {
			return fail(ErrUTF8, t.String(), at, "")
		}
	}
	return nil
}

func checkHeaders(b []byte, h head) error {
	off, end := HeadSize+h.attributes, h.body()
	for count := 0; off < end; count++ {
		if count == HeadersMax {
			return fail(ErrTooMany, "headers", off, fmt.Sprintf("more than %d", HeadersMax))
		}
		key, value, next, err := nextHeader(b, off, end)
		switch {
		case err != nil:
			return err
		case len(key) == 0 || len(key) > KeyMax:
			return fail(ErrValue, "headers", off, fmt.Sprintf("key of %d bytes, must be 1 to %d", len(key), KeyMax))
		case !utf8.Valid(key) || !utf8.Valid(value):
			return fail(ErrUTF8, "headers", off, fmt.Sprintf("header %q", key))
		}
		off = next
	}
	return nil
}
