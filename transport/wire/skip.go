package wire

// depthMax bounds the arrays and maps inside one another in skipped values.
const depthMax = 64

// Skip passes over one value of any kind, with everything inside it.
func (c *Cursor) Skip() { c.SkipN(1) }

// SkipDeeper passes over one value like Skip, but allows levels more arrays and
// maps inside one another: those of a format that the caller is going to read
// through before it comes to values that it skips.
func (c *Cursor) SkipDeeper(levels int) { c.skip(-levels) }

// SkipN passes over n values.
func (c *Cursor) SkipN(n int) {
	if n < 0 {
		c.fail(c.off, ErrCount, "")
		return
	}
	for ; n > 0 && c.err == nil; n-- {
		c.skip(0)
	}
}

// Raw returns the bytes of the next n values. The result aliases the input.
func (c *Cursor) Raw(n int) []byte {
	from := c.off
	c.SkipN(n)
	if c.err != nil {
		return nil
	}
	return c.b[from:c.off:c.off]
}

func (c *Cursor) skip(depth int) {
	from := c.off
	b, ok := c.head()
	if !ok {
		return
	}
	switch {
	case b < mapFix || b >= negFix:
	case b < arrayFix:
		c.inside(from, 2*uint64(b&0x0f), depth)
	case b < strFix:
		c.inside(from, uint64(b&0x0f), depth)
	case b < nilByte:
		c.pass(from, uint64(b&0x1f))
	default:
		c.skipLong(from, b, depth)
	}
}

// skipLong skips a value whose type byte is a whole one.
func (c *Cursor) skipLong(from int, b byte, depth int) {
	switch b {
	case nilByte, falseByte, trueByte:
	case uint8b, uint16b, uint32b, uint64b:
		c.pass(from, 1<<(b-uint8b))
	case int8b, int16b, int32b, int64b:
		c.pass(from, 1<<(b-int8b))
	case float32b, float64b:
		c.pass(from, 4<<(b-float32b))
	case fixext1, fixext2, fixext4, fixext8, fixext16:
		c.pass(from, 1+1<<(b-fixext1))
	case bin8, bin16, bin32:
		n, _ := c.be(from, 1<<(b-bin8))
		c.pass(from, n)
	case ext8, ext16, ext32:
		n, ok := c.be(from, 1<<(b-ext8))
		if ok {
			c.pass(from, n+1)
		}
	case str8, str16, str32:
		n, _ := c.be(from, 1<<(b-str8))
		c.pass(from, n)
	case array16, array32:
		n, _ := c.be(from, 2<<(b-array16))
		c.inside(from, n, depth)
	case map16, map32:
		n, _ := c.be(from, 2<<(b-map16))
		c.inside(from, 2*n, depth)
	default:
		c.kind(from, b, "a value")
	}
}

// pass passes over n bytes.
func (c *Cursor) pass(from int, n uint64) {
	if n > uint64(len(c.b)-c.off) {
		c.fail(from, ErrTruncated, "")
		return
	}
	c.off += int(n)
}

// inside passes over n values one level deeper.
func (c *Cursor) inside(from int, n uint64, depth int) {
	switch {
	case c.err != nil:
		return
	case n > uint64(len(c.b)-c.off):
		c.fail(from, ErrTruncated, "")
		return
	case depth >= depthMax:
		c.fail(from, ErrDepth, "")
		return
	}
	for ; n > 0 && c.err == nil; n-- {
		c.skip(depth + 1)
	}
}

// kindName says in words what a type byte begins.
func kindName(b byte) string {
	switch {
	case b < mapFix || b >= negFix || b >= uint8b && b <= int64b:
		return "integer"
	case b < arrayFix || b == map16 || b == map32:
		return "map"
	case b < strFix || b == array16 || b == array32:
		return "array"
	case b < nilByte || b >= str8 && b <= str32:
		return "string"
	case b >= bin8 && b <= bin32:
		return "binary"
	case b == float32b || b == float64b:
		return "float"
	case b == nilByte:
		return "nil"
	case b == falseByte || b == trueByte:
		return "boolean"
	case b == never:
		return "a byte that is never used"
	}
	return "extension"
}
