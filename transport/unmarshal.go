package transport

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/ferrymq/ferrymq/transport/wire"
	"github.com/vmihailenco/msgpack/v5"
	"github.com/vmihailenco/msgpack/v5/msgpcode"
)

const (
	// bodyLevelsMax is how deep the bodies themselves nest, at most: a
	// further element in the innermost may still have wire's full depth.
	bodyLevelsMax = 8
	// pooledMax is the largest payload whose decoder goes back to the pool:
	// a decoder keeps a buffer as long as the longest string it ever read.
	pooledMax = 64 << 10
)

// Unmarshal decodes what Marshal made into v, a pointer to a struct or slice. Further
// elements of an array are ignored. Nothing aliases the payload.
//
// A cursor passes over the whole payload first. It proves that every length
// has its bytes, so whatever the library allocates for one is in proportion
// to the input, and that values do not nest without end.
func Unmarshal(payload []byte, v any) error {
	rv := reflect.ValueOf(v).Elem()
	c := wire.NewCursor(payload)
	c.SkipDeeper(bodyLevelsMax)
	if c.Done() != nil {
		return decoded(&c, bodyName(rv.Type()))
	}
	u := unpacker{in: bytes.NewReader(payload), lib: msgpack.GetDecoder()}
	u.lib.Reset(u.in) // a bytes.Reader is read as it stands, so that it tells the offset
	err := u.value(rv)
	if len(payload) <= pooledMax {
		msgpack.PutDecoder(u.lib)
	}
	if err != nil {
		return u.failed(err, bodyName(rv.Type()))
	}
	return nil
}

func bodyName(t reflect.Type) string {
	if t.Name() == "" {
		return t.String() // a list
	}
	return t.Name()
}

// unpacker reads one payload that the cursor has passed.
type unpacker struct {
	in   *bytes.Reader
	lib  *msgpack.Decoder
	path []fieldRef // that are being read, outermost first
}

// fieldRef names a field of a struct; the name itself is asked for only when
// something is wrong.
type fieldRef struct {
	of    reflect.Type
	index int
}

func (u *unpacker) offset() int { return int(u.in.Size()) - u.in.Len() }

// failed makes the FrameError about the field at which reading stopped.
func (u *unpacker) failed(err error, body string) error {
	var w *wire.Error
	if !errors.As(err, &w) { // the library's own
		return &FrameError{Err: ErrMalformed, Offset: int64(u.offset()), Of: body, Detail: u.at(err.Error()), Cause: err}
	}
	detail := w.Err.Error()
	if w.Detail != "" {
		detail += ": " + w.Detail
	}
	return &FrameError{Err: ErrMalformed, Offset: int64(w.Offset), Of: body, Detail: u.at(detail), Cause: w}
}

func (u *unpacker) at(detail string) string {
	if len(u.path) == 0 {
		return detail
	}
	names := make([]string, len(u.path))
	for i, f := range u.path {
		names[i] = f.of.Field(f.index).Name
	}
	return "field " + strings.Join(names, ".") + ": " + detail
}

// value reads the next value. The library would take nil for any zero, a
// string for a binary, and an integer that does not fit; the protocol does
// not, so the type byte is looked at first.
func (u *unpacker) value(v reflect.Value) error {
	from := u.offset()
	code, err := u.lib.PeekCode()
	if err != nil {
		return err
	}
	switch v.Kind() {
	case reflect.Bool:
		if code != msgpcode.True && code != msgpcode.False {
			return unfit(from, "boolean", code)
		}
		b, err := u.lib.DecodeBool()
		v.SetBool(b)
		return err
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uint,
		reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Int:
		return u.number(from, code, v)
	case reflect.String:
		if !msgpcode.IsString(code) {
			return unfit(from, "string", code)
		}
		s, err := u.lib.DecodeString()
		v.SetString(s)
		return err
	case reflect.Pointer:
		if code == msgpcode.Nil {
			v.SetZero()
			return u.lib.DecodeNil()
		}
		v.Set(reflect.New(v.Type().Elem()))
		return u.value(v.Elem())
	case reflect.Struct:
		return u.fields(from, code, v)
	case reflect.Array, reflect.Slice:
		if holdsBytes(v.Type()) {
			return u.binary(from, code, v)
		}
		if v.Kind() == reflect.Slice {
			return u.list(from, code, v)
		}
	}
	panic("transport: " + errKind(v).Error())
}

// number reads an integer of any width that fits v.
func (u *unpacker) number(from int, code byte, v reflect.Value) error {
	switch {
	case code >= msgpcode.NegFixedNumLow || code >= msgpcode.Int8 && code <= msgpcode.Int64:
		n, err := u.lib.DecodeInt64()
		if err != nil {
			return err
		}
		if v.CanInt() {
			return setInt(from, v, n)
		}
		if n < 0 {
			return misfit(from, wire.ErrRange, "negative")
		}
		return setUint(from, v, uint64(n))
	case code <= msgpcode.PosFixedNumHigh || code >= msgpcode.Uint8 && code <= msgpcode.Uint64:
		n, err := u.lib.DecodeUint64()
		if err != nil {
			return err
		}
		if v.CanUint() {
			return setUint(from, v, n)
		}
		if int64(n) < 0 {
			return misfit(from, wire.ErrRange, "too large")
		}
		return setInt(from, v, int64(n))
	}
	return unfit(from, "integer", code)
}

func setInt(from int, v reflect.Value, n int64) error {
	if v.OverflowInt(n) {
		return misfit(from, wire.ErrRange, "not of "+v.Type().String())
	}
	v.SetInt(n)
	return nil
}

func setUint(from int, v reflect.Value, n uint64) error {
	if v.OverflowUint(n) {
		return misfit(from, wire.ErrRange, "not of "+v.Type().String())
	}
	v.SetUint(n)
	return nil
}

// binary reads a binary; an array of bytes wants exactly its own length.
func (u *unpacker) binary(from int, code byte, v reflect.Value) error {
	if !msgpcode.IsBin(code) {
		return unfit(from, "binary", code)
	}
	n, err := u.lib.DecodeBytesLen()
	if err != nil {
		return err
	}
	if v.Kind() == reflect.Array {
		if n != v.Len() {
			return misfit(from, lengthError(n, v.Len()), fmt.Sprintf("want %d bytes, found %d", v.Len(), n))
		}
		return u.lib.ReadFull(v.Slice(0, n).Bytes())
	}
	if n == 0 {
		v.SetZero()
		return nil
	}
	v.SetBytes(make([]byte, n))
	return u.lib.ReadFull(v.Bytes())
}

func lengthError(found, want int) error {
	if found < want {
		return wire.ErrTooShort
	}
	return wire.ErrTooLong
}

// unfit is the mistake of a value that has another kind than its field.
func unfit(from int, want string, code byte) error {
	return misfit(from, wire.ErrKind, fmt.Sprintf("want %s, found type byte %#02x", want, code))
}

func misfit(from int, err error, detail string) error {
	return &wire.Error{Offset: from, Err: err, Detail: detail}
}
