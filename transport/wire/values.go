package wire

import "strconv"

// Bytes reads a binary. The result aliases the input.
func (c *Cursor) Bytes() []byte { return c.BytesMax(len(c.b)) }

// BytesMax reads a binary of at most limit bytes. The result aliases the input.
func (c *Cursor) BytesMax(limit int) []byte {
	from := c.off
	b, ok := c.head()
	if !ok {
		return nil
	}
	if b < bin8 || b > bin32 {
		c.kind(from, b, "binary")
		return nil
	}
	n, ok := c.be(from, 1<<(b-bin8))
	if !ok {
		return nil
	}
	return c.span(from, n, limit)
}

// String reads a string. Whether it is UTF-8 is for the caller to judge.
func (c *Cursor) String() string { return string(c.Text(len(c.b))) }

// StringMax reads a string of at most limit bytes.
func (c *Cursor) StringMax(limit int) string { return string(c.Text(limit)) }

// Text reads a string of at most limit bytes without copying it.
func (c *Cursor) Text(limit int) []byte {
	from := c.off
	b, ok := c.head()
	if !ok {
		return nil
	}
	if b&0xe0 == strFix {
		return c.span(from, uint64(b&0x1f), limit)
	}
	if b < str8 || b > str32 {
		c.kind(from, b, "string")
		return nil
	}
	n, ok := c.be(from, 1<<(b-str8))
	if !ok {
		return nil
	}
	return c.span(from, n, limit)
}

// span takes n bytes.
func (c *Cursor) span(from int, n uint64, limit int) []byte {
	if n > uint64(len(c.b)-c.off) {
		c.fail(from, ErrTruncated, "")
		return nil
	}
	if n > uint64(limit) {
		c.fail(from, ErrTooLong, "more than "+strconv.Itoa(limit)+" bytes")
		return nil
	}
	v := c.b[c.off : c.off+int(n) : c.off+int(n)]
	c.off += int(n)
	return v
}

// ArrayLen reads the head of an array of at most limit values. A value takes
// at least a byte, so a claim of more values than bytes left is a mistake.
func (c *Cursor) ArrayLen(limit int) int {
	from := c.off
	b, ok := c.head()
	if !ok {
		return 0
	}
	var n uint64
	switch {
	case b&0xf0 == arrayFix:
		n = uint64(b & 0x0f)
	case b == array16 || b == array32:
		if n, ok = c.be(from, 2<<(b-array16)); !ok {
			return 0
		}
	default:
		c.kind(from, b, "array")
		return 0
	}
	if n > uint64(len(c.b)-c.off) {
		c.fail(from, ErrTruncated, "")
		return 0
	}
	if n > uint64(limit) {
		c.fail(from, ErrTooMany, "more than "+strconv.Itoa(limit)+" values")
		return 0
	}
	return int(n)
}

// ArrayLenOf reads the head of an array of at most limit values that take at
// least each bytes, so that what a caller allocates for them is in proportion
// to the input.
func (c *Cursor) ArrayLenOf(limit, each int) int {
	from := c.off
	n := c.ArrayLen(limit)
	if uint64(n)*uint64(each) > uint64(len(c.b)-c.off) {
		c.fail(from, ErrTruncated, "")
		return 0
	}
	return n
}

// Fields begins an array whose first known values the caller is going to
// read. It returns how many follow those, to be handed to SkipN at the end:
// a newer writer may have added some. Fewer than known is a mistake.
func (c *Cursor) Fields(known int) (more int) {
	from := c.off
	n := c.ArrayLen(len(c.b))
	if c.err != nil {
		return 0
	}
	if n < known {
		c.fail(from, ErrMissing, "want at least "+strconv.Itoa(known)+" values, found "+strconv.Itoa(n))
		return 0
	}
	return n - known
}
