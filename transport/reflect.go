package transport

import (
	"fmt"
	"reflect"

	"github.com/ferrymq/ferrymq/transport/wire"
)

// The cold bodies, by reflection, with the bytes that the hot ones would have
// if they were not written by hand. It is not msgpack's own struct encoding,
// because that refuses an array with more elements than the struct has fields,
// and so no field could ever be added.

// Marshal encodes a body that has no methods of its own, as the array of its
// exported fields. It takes structs, slices, pointers to structs (nil is
// allowed), strings, booleans, integers, byte slices and byte arrays; anything
// else is a mistake of the program and panics.
func Marshal(v any) []byte {
	rv := reflect.ValueOf(v)
	if rv.Kind() == reflect.Pointer {
		rv = rv.Elem()
	}
	return appendValue(nil, rv)
}

// Unmarshal decodes what Marshal made into v, a pointer to a struct or slice. Further
// elements of an array are ignored. Nothing aliases the payload.
func Unmarshal(payload []byte, v any) error {
	rv := reflect.ValueOf(v).Elem()
	c := wire.NewCursor(payload)
	readValue(&c, rv)
	return decoded(&c, rv.Type().Name())
}

func appendBody[T any](b []byte, v *T) []byte { return appendValue(b, reflect.ValueOf(v).Elem()) }

func appendValue(b []byte, v reflect.Value) []byte {
	switch v.Kind() {
	case reflect.Bool:
		return wire.AppendBool(b, v.Bool())
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uint:
		return wire.AppendUint(b, v.Uint())
	case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Int:
		return wire.AppendInt(b, v.Int())
	case reflect.String:
		return wire.AppendString(b, v.String())
	case reflect.Pointer:
		if v.IsNil() {
			return wire.AppendNil(b)
		}
		return appendValue(b, v.Elem())
	case reflect.Struct:
		b = wire.AppendArrayLen(b, v.NumField())
		for i := range v.NumField() {
			b = appendValue(b, v.Field(i))
		}
		return b
	case reflect.Array:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			b = wire.AppendBytesLen(b, v.Len())
			for i := range v.Len() {
				b = append(b, byte(v.Index(i).Uint()))
			}
			return b
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return wire.AppendBytes(b, v.Bytes())
		}
		b = wire.AppendArrayLen(b, v.Len())
		for i := range v.Len() {
			b = appendValue(b, v.Index(i))
		}
		return b
	}
	panic(fmt.Sprintf("transport: a body cannot hold a %s", v.Type()))
}

func readValue(c *wire.Cursor, v reflect.Value) {
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(c.Bool())
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uint:
		v.SetUint(c.UintMax(^uint64(0) >> (64 - v.Type().Bits())))
	case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Int:
		readInt(c, v)
	case reflect.String:
		v.SetString(c.String())
	case reflect.Pointer:
		if c.Nil() {
			v.SetZero()
			return
		}
		v.Set(reflect.New(v.Type().Elem()))
		readValue(c, v.Elem())
	case reflect.Struct:
		more := c.Fields(v.NumField())
		for i := range v.NumField() {
			readValue(c, v.Field(i))
		}
		c.SkipN(more)
	case reflect.Array:
		readArray(c, v)
	case reflect.Slice:
		readSlice(c, v)
	default:
		panic(fmt.Sprintf("transport: a body cannot hold a %s", v.Type()))
	}
}

func readInt(c *wire.Cursor, v reflect.Value) {
	from := c.Offset()
	n := c.Int()
	if v.OverflowInt(n) {
		c.Fail(from, wire.ErrRange, "not of "+v.Type().String())
		return
	}
	v.SetInt(n)
}

// readArray reads a binary of a fixed size.
func readArray(c *wire.Cursor, v reflect.Value) {
	if v.Type().Elem().Kind() != reflect.Uint8 {
		panic(fmt.Sprintf("transport: a body cannot hold a %s", v.Type()))
	}
	from := c.Offset()
	b := c.BytesMax(v.Len())
	if c.Err() != nil {
		return
	}
	if len(b) != v.Len() {
		c.Fail(from, wire.ErrTooShort, fmt.Sprintf("want %d bytes", v.Len()))
		return
	}
	reflect.Copy(v, reflect.ValueOf(b))
}

func readSlice(c *wire.Cursor, v reflect.Value) {
	elem := v.Type().Elem()
	if elem.Kind() == reflect.Uint8 {
		if b := c.Bytes(); len(b) > 0 {
			v.SetBytes(append([]byte(nil), b...))
		} else {
			v.SetZero()
		}
		return
	}
	n := c.ArrayLenOf(EventsItemsMax, least(elem))
	if n == 0 {
		v.SetZero()
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), n, n))
	for i := range n {
		readValue(c, v.Index(i))
	}
}

// least is the smallest size of an encoded value of the type.
func least(t reflect.Type) int {
	switch t.Kind() {
	case reflect.Struct:
		n := 1
		for i := range t.NumField() {
			n += least(t.Field(i).Type)
		}
		return n
	case reflect.Array:
		return 2 + t.Len()
	}
	return 1
}
