package wire

import "math"

// Cursor reads values from the front of a slice. The first mistake sticks:
// from then on every read returns zero, so a decoder checks Err once at its
// end. Loops over a claimed length are safe, because ArrayLen never returns
// more than the bytes left could hold. The zero Cursor reads nothing.
type Cursor struct {
	b   []byte
	off int
	err *Error
}

// NewCursor reads from b.
func NewCursor(b []byte) Cursor { return Cursor{b: b} }

// Err is the first mistake, nil if there was none.
func (c *Cursor) Err() error {
	if c.err == nil {
		return nil
	}
	return c.err
}

// Offset of the next value.
func (c *Cursor) Offset() int { return c.off }

// Left tells how many bytes follow.
func (c *Cursor) Left() int { return len(c.b) - c.off }

// Done returns the first mistake; bytes that are left over are one.
func (c *Cursor) Done() error {
	if c.err == nil && c.off != len(c.b) {
		c.fail(c.off, ErrTrailing, "")
	}
	return c.Err()
}

// Fail records a mistake that the caller found in a value that began at offset.
func (c *Cursor) Fail(offset int, err error, detail string) { c.fail(offset, err, detail) }

func (c *Cursor) fail(off int, err error, detail string) {
	if c.err == nil {
		c.err = &Error{Offset: off, Err: err, Detail: detail}
	}
	c.off = len(c.b) // nothing more is read
}

// kind fails at the value that began at off, where b was found.
func (c *Cursor) kind(off int, b byte, want string) {
	c.fail(off, ErrKind, "want "+want+", found "+kindName(b))
}

// head takes the type byte of the next value.
func (c *Cursor) head() (b byte, ok bool) {
	if c.off >= len(c.b) {
		c.fail(c.off, ErrTruncated, "")
		return 0, false
	}
	b = c.b[c.off]
	c.off++
	return b, true
}

// be takes n bytes, at most 8, as a big-endian number; from is where its
// value began.
func (c *Cursor) be(from, n int) (v uint64, ok bool) {
	if len(c.b)-c.off < n {
		c.fail(from, ErrTruncated, "")
		return 0, false
	}
	switch n {
	case 1:
		v = uint64(c.b[c.off])
	case 2:
		v = uint64(be.Uint16(c.b[c.off:]))
	case 4:
		v = uint64(be.Uint32(c.b[c.off:]))
	default:
		v = be.Uint64(c.b[c.off:])
	}
	c.off += n
	return v, true
}

// Nil takes a nil if one is next and says whether it did.
func (c *Cursor) Nil() bool {
	if c.off < len(c.b) && c.b[c.off] == nilByte {
		c.off++
		return true
	}
	return false
}

// Bool reads a boolean.
func (c *Cursor) Bool() bool {
	from := c.off
	b, ok := c.head()
	if ok && b != trueByte && b != falseByte {
		c.kind(from, b, "boolean")
		return false
	}
	return ok && b == trueByte
}

// Uint reads an integer that is not negative, in any form.
func (c *Cursor) Uint() uint64 {
	from := c.off
	if from < len(c.b) && c.b[from] < 0x80 {
		c.off++
		return uint64(c.b[from])
	}
	v, neg := c.integer(from)
	if neg {
		c.fail(from, ErrRange, "negative")
		return 0
	}
	return v
}

// Uint32 reads an integer below 2^32.
func (c *Cursor) Uint32() uint32 { return uint32(c.UintMax(math.MaxUint32)) }

// Uint16 reads an integer below 2^16.
func (c *Cursor) Uint16() uint16 { return uint16(c.UintMax(math.MaxUint16)) }

// Uint8 reads an integer below 2^8.
func (c *Cursor) Uint8() uint8 { return uint8(c.UintMax(math.MaxUint8)) }

// UintMax reads an integer that is not negative and at most limit.
func (c *Cursor) UintMax(limit uint64) uint64 {
	from := c.off
	v := c.Uint()
	if v > limit {
		c.fail(from, ErrRange, "too large")
		return 0
	}
	return v
}

// Int reads a signed integer, in any form.
func (c *Cursor) Int() int64 {
	from := c.off
	v, neg := c.integer(from)
	if !neg && v > math.MaxInt64 {
		c.fail(from, ErrRange, "too large")
		return 0
	}
	return int64(v)
}

// Int32 reads a signed integer of 32 bits.
func (c *Cursor) Int32() int32 {
	from := c.off
	v := c.Int()
	if v < math.MinInt32 || v > math.MaxInt32 {
		c.fail(from, ErrRange, "not of 32 bits")
		return 0
	}
	return int32(v)
}

// integer reads any integer; neg says that v is the two's complement of a
// negative one.
func (c *Cursor) integer(from int) (v uint64, neg bool) {
	b, ok := c.head()
	if !ok {
		return 0, false
	}
	switch {
	case b < 0x80:
		return uint64(b), false
	case b >= negFix:
		return uint64(int64(int8(b))), true
	case b >= uint8b && b <= uint64b:
		v, _ = c.be(from, 1<<(b-uint8b))
		return v, false
	case b >= int8b && b <= int64b:
		n := 1 << (b - int8b)
		v, _ = c.be(from, n)
		shift := 64 - 8*n
		s := int64(v<<shift) >> shift
		return uint64(s), s < 0
	}
	c.kind(from, b, "integer")
	return 0, false
}
