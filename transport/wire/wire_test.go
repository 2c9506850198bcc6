package wire

import (
	"bytes"
	"errors"
	"math"
	"testing"

	"github.com/vmihailenco/msgpack/v5"
	"pgregory.net/rapid"
)

// encodeOther encodes with the library that is the reference here.
func encodeOther(t *rapid.T, v any) []byte {
	var b bytes.Buffer
	e := msgpack.NewEncoder(&b)
	e.UseCompactInts(true)
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func appendAny(b []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return AppendNil(b)
	case bool:
		return AppendBool(b, v)
	case uint64:
		return AppendUint(b, v)
	case int64:
		return AppendInt(b, v)
	case string:
		return AppendString(b, v)
	case []byte:
		return AppendBytes(b, v)
	case []any:
		b = AppendArrayLen(b, len(v))
		for _, x := range v {
			b = appendAny(b, x)
		}
		return b
	}
	panic("kind")
}

// readAs reads a value of v's kind and tells whether it is v.
func readAs(c *Cursor, v any) bool {
	switch v := v.(type) {
	case nil:
		return c.Nil()
	case bool:
		return c.Bool() == v
	case uint64:
		return c.Uint() == v
	case int64:
		return c.Int() == v
	case string:
		return c.String() == v
	case []byte:
		return bytes.Equal(c.Bytes(), v)
	case []any:
		if c.ArrayLen(len(v)) != len(v) {
			return false
		}
		for _, x := range v {
			if !readAs(c, x) {
				return false
			}
		}
		return true
	}
	panic("kind")
}

func values() *rapid.Generator[any] {
	leaf := rapid.OneOf(
		rapid.Just[any](nil),
		rapid.Bool().AsAny(),
		rapid.Uint64().AsAny(),
		rapid.Map(rapid.Uint8(), func(n uint8) uint64 { return uint64(1)<<(n%64) - uint64(n/64) }).AsAny(),
		rapid.Int64().AsAny(),
		rapid.Map(rapid.Uint8(), func(n uint8) int64 { return -(int64(1) << (n % 64)) - int64(n/64) + 2 }).AsAny(),
		rapid.String().AsAny(),
		rapid.Map(rapid.IntRange(0, 1<<17), func(n int) string { return string(make([]byte, n)) }).AsAny(),
		rapid.SliceOf(rapid.Byte()).AsAny(),
		rapid.Map(rapid.IntRange(0, 1<<17), func(n int) []byte { return make([]byte, n) }).AsAny(),
	)
	list := rapid.Map(rapid.SliceOfN(leaf, 0, 40), func(v []any) any { return v })
	return rapid.OneOf(leaf, list, rapid.Map(rapid.SliceOfN(list, 0, 4), func(v []any) any { return v }))
}

func TestSameBytesAsReference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := values().Draw(t, "value")
		ours := appendAny(nil, v)
		if theirs := encodeOther(t, v); !bytes.Equal(ours, theirs) {
			t.Fatalf("%T: %x, reference %x", v, ours, theirs)
		}
		c := NewCursor(ours)
		if !readAs(&c, v) || c.Done() != nil {
			t.Fatalf("%x is not read back: %v", ours, c.Err())
		}
		c = NewCursor(ours)
		if raw := c.Raw(1); !bytes.Equal(raw, ours) || c.Done() != nil {
			t.Fatalf("%x is not skipped: %v", ours, c.Err())
		}
		for i := range ours[:min(len(ours), 300)] {
			c = NewCursor(ours[:i])
			if c.Skip(); !errors.Is(c.Err(), ErrTruncated) {
				t.Fatalf("first %d bytes of %x: %v", i, ours, c.Err())
			}
		}
	})
}

func TestAnyWidthIsRead(t *testing.T) {
	for _, b := range [][]byte{
		{5}, {0xcc, 5}, {0xcd, 0, 5}, {0xce, 0, 0, 0, 5}, {0xcf, 0, 0, 0, 0, 0, 0, 0, 5},
		{0xd0, 5}, {0xd1, 0, 5}, {0xd2, 0, 0, 0, 5}, {0xd3, 0, 0, 0, 0, 0, 0, 0, 5},
	} {
		c := NewCursor(b)
		if c.Uint() != 5 || c.Done() != nil {
			t.Errorf("%x as unsigned: %v", b, c.Err())
		}
		c = NewCursor(b)
		if c.Int() != 5 || c.Done() != nil {
			t.Errorf("%x as signed: %v", b, c.Err())
		}
	}
	for _, b := range [][]byte{
		{0xfb}, {0xd0, 0xfb}, {0xd1, 0xff, 0xfb}, {0xd2, 0xff, 0xff, 0xff, 0xfb},
		{0xd3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfb},
	} {
		c := NewCursor(b)
		if c.Int() != -5 || c.Done() != nil {
			t.Errorf("%x: %v", b, c.Err())
		}
	}
}

func TestMistakesNameTheirPlace(t *testing.T) {
	for name, test := range map[string]struct {
		in     []byte
		read   func(c *Cursor)
		want   error
		offset int
	}{
		"kind":            {[]byte{1, 0xa1, 'x'}, func(c *Cursor) { c.Uint(); c.Uint() }, ErrKind, 1},
		"negative":        {[]byte{0xff}, func(c *Cursor) { c.Uint() }, ErrRange, 0},
		"too large":       {[]byte{0xcd, 1, 0}, func(c *Cursor) { c.Uint8() }, ErrRange, 0},
		"int64":           {AppendUint(nil, math.MaxUint64), func(c *Cursor) { c.Int() }, ErrRange, 0},
		"int32":           {AppendInt(nil, math.MinInt32-1), func(c *Cursor) { c.Int32() }, ErrRange, 0},
		"boolean":         {[]byte{1}, func(c *Cursor) { c.Bool() }, ErrKind, 0},
		"string for bin":  {[]byte{0xa0}, func(c *Cursor) { c.Bytes() }, ErrKind, 0},
		"bin for string":  {[]byte{0xc4, 0}, func(c *Cursor) { _ = c.String() }, ErrKind, 0},
		"bin claim":       {[]byte{0, 0xc6, 0xff, 0xff, 0xff, 0xff}, func(c *Cursor) { c.Uint(); c.Bytes() }, ErrTruncated, 1},
		"str claim":       {[]byte{0xdb, 0xff, 0xff, 0xff, 0xff}, func(c *Cursor) { _ = c.String() }, ErrTruncated, 0},
		"array claim":     {[]byte{0xdd, 0xff, 0xff, 0xff, 0xff, 1}, func(c *Cursor) { c.ArrayLen(math.MaxInt) }, ErrTruncated, 0},
		"array too long":  {[]byte{0x92, 1, 1}, func(c *Cursor) { c.ArrayLen(1) }, ErrTooMany, 0},
		"elements":        {[]byte{0x92, 1, 1}, func(c *Cursor) { c.ArrayLenOf(9, 2) }, ErrTruncated, 0},
		"fields":          {[]byte{0x92, 1, 1}, func(c *Cursor) { c.Fields(3) }, ErrMissing, 0},
		"string too long": {[]byte{0xa2, 'a', 'b'}, func(c *Cursor) { c.StringMax(1) }, ErrTooLong, 0},
		"never used":      {[]byte{0xc1}, func(c *Cursor) { c.Skip() }, ErrKind, 0},
		"trailing":        {[]byte{1, 2}, func(c *Cursor) { c.Uint() }, ErrTrailing, 1},
		"nested":          {bytes.Repeat([]byte{0x91}, 100), func(c *Cursor) { c.Skip() }, ErrDepth, 64},
		"nested deeper":   {bytes.Repeat([]byte{0x91}, 100), func(c *Cursor) { c.SkipDeeper(8) }, ErrDepth, 72},
		"count":           {nil, func(c *Cursor) { c.SkipN(-1) }, ErrCount, 0},
		"sticks":          {[]byte{0xc0, 5}, func(c *Cursor) { c.Uint(); c.Uint(); c.Bytes() }, ErrKind, 0},
	} {
		c := NewCursor(test.in)
		test.read(&c)
		err := c.Done()
		var e *Error
		if !errors.Is(err, test.want) || !errors.As(err, &e) || e.Offset != test.offset {
			t.Errorf("%s: %v, want %v at %d", name, err, test.want, test.offset)
		}
	}
}

func TestSkipKnowsEveryKind(t *testing.T) {
	for _, b := range [][]byte{
		{0x81, 1, 2}, {0xde, 0, 1, 1, 2}, {0xdf, 0, 0, 0, 1, 1, 2},
		{0xca, 0, 0, 0, 0}, {0xcb, 0, 0, 0, 0, 0, 0, 0, 0},
		{0xc7, 1, 9, 7}, {0xc8, 0, 1, 9, 7}, {0xc9, 0, 0, 0, 1, 9, 7},
		{0xd4, 9, 1}, {0xd5, 9, 1, 2}, {0xd6, 9, 1, 2, 3, 4}, append([]byte{0xd7, 9}, make([]byte, 8)...),
		append([]byte{0xd8, 9}, make([]byte, 16)...), {0xe0}, {0x7f},
	} {
		c := NewCursor(append(b, 42))
		c.Skip()
		if c.Uint() != 42 || c.Done() != nil {
			t.Errorf("%x: %v", b, c.Err())
		}
	}
}

func TestNoAllocation(t *testing.T) {
	b := AppendArrayLen(nil, 4)
	b = AppendUint(b, 1<<40)
	b = AppendBytes(b, make([]byte, 300))
	b = AppendInt(b, -5)
	b = AppendBool(b, true)
	buf := make([]byte, 0, 512)
	n := testing.AllocsPerRun(100, func() {
		c := NewCursor(b)
		c.SkipN(c.Fields(4))
		c = NewCursor(b)
		c.Fields(4)
		buf = AppendUint(buf[:0], c.Uint())
		buf = AppendBytes(buf, c.Bytes())
		buf = AppendInt(buf, c.Int())
		buf = AppendBool(buf, c.Bool())
		if c.Done() != nil {
			panic("mistake")
		}
	})
	if n != 0 {
		t.Fatalf("%v allocations", n)
	}
}

// FuzzCursor reads arbitrary bytes as what they say they are: no panic, and
// what is read is what the reference reads.
func FuzzCursor(f *testing.F) {
	for _, v := range []any{nil, true, uint64(1 << 40), int64(-77), "text", []byte{1, 2}, []any{uint64(1), "x", []any{}}} {
		f.Add(appendAny(nil, v))
	}
	f.Add([]byte{0xdd, 0xff, 0xff, 0xff, 0xff})
	f.Add([]byte{0xc6, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		c := NewCursor(b)
		raw := c.Raw(1)
		if c.Err() != nil {
			return
		}
		if _, err := msgpack.NewDecoder(bytes.NewReader(raw)).DecodeRaw(); err != nil && noExt(raw) {
			t.Fatalf("%x skipped here, refused by the reference: %v", raw, err)
		}
		for _, read := range []func(c *Cursor){
			func(c *Cursor) { c.Nil() }, func(c *Cursor) { c.Bool() }, func(c *Cursor) { c.Uint() },
			func(c *Cursor) { c.Int() }, func(c *Cursor) { c.Bytes() }, func(c *Cursor) { _ = c.String() },
		} {
			c := NewCursor(raw)
			if read(&c); c.Err() == nil && c.Offset() != 0 && c.Offset() != len(raw) {
				t.Fatalf("%x: read %d bytes of %d", raw, c.Offset(), len(raw))
			}
		}
	})
}

// noExt tells that no byte could begin an extension, which the reference
// decodes only when its type is registered.
func noExt(b []byte) bool {
	for _, x := range b {
		if x >= ext8 && x <= ext32 || x >= fixext1 && x <= fixext16 {
			return false
		}
	}
	return true
}
