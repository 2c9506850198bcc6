package transport

import (
	"bytes"
	"fmt"
	"reflect"

	"github.com/vmihailenco/msgpack/v5"
)

// The cold bodies: every value is written and read by the msgpack library
// (unmarshal.go has the reading half). What is ours is only the list of a
// struct's fields, because the library's own encoding of structs dissolves
// embedded ones, writes nil for an empty list, and reads no array that is
// longer than the struct, so that no field could ever be added.

// Marshal encodes a body that has no methods of its own, as the array of its
// exported fields. It takes structs, slices, pointers to structs (nil is
// allowed), strings, booleans, integers, byte slices and byte arrays; anything
// else is a mistake of the program and panics.
func Marshal(v any) []byte {
	rv := reflect.ValueOf(v)
	if rv.Kind() == reflect.Pointer {
		rv = rv.Elem()
	}
	return appendPacked(nil, rv)
}

func appendBody[T any](b []byte, v *T) []byte { return appendPacked(b, reflect.ValueOf(v).Elem()) }

func appendPacked(b []byte, v reflect.Value) []byte {
	out := bytes.NewBuffer(b) // appends in place where b has room
	e := msgpack.GetEncoder()
	e.Reset(out)
	err := pack(e, v)
	msgpack.PutEncoder(e)
	if err != nil {
		panic(fmt.Sprintf("transport: %v", err)) // memory takes every write: only a type can be wrong
	}
	return out.Bytes()
}

func pack(e *msgpack.Encoder, v reflect.Value) error {
	switch v.Kind() {
	case reflect.Bool:
		return e.EncodeBool(v.Bool())
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uint:
		return e.EncodeUint(v.Uint())
	case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Int:
		return e.EncodeInt(v.Int())
	case reflect.String:
		return e.EncodeString(v.String())
	case reflect.Pointer:
		if v.IsNil() {
			return e.EncodeNil()
		}
		return pack(e, v.Elem())
	case reflect.Struct:
		return packFields(e, v)
	case reflect.Array:
		if holdsBytes(v.Type()) {
			b := make([]byte, v.Len())
			reflect.Copy(reflect.ValueOf(b), v)
			return e.EncodeBytes(b)
		}
	case reflect.Slice:
		return packList(e, v)
	}
	return errKind(v)
}

func packFields(e *msgpack.Encoder, v reflect.Value) error {
	if err := e.EncodeArrayLen(v.NumField()); err != nil {
		return err
	}
	for i := range v.NumField() {
		if err := pack(e, v.Field(i)); err != nil {
			return err
		}
	}
	return nil
}

func packList(e *msgpack.Encoder, v reflect.Value) error {
	if holdsBytes(v.Type()) {
		if v.IsNil() {
			return e.EncodeBytesLen(0) // nil has another meaning: a T? that is absent
		}
		return e.EncodeBytes(v.Bytes())
	}
	if err := e.EncodeArrayLen(v.Len()); err != nil {
		return err
	}
	for i := range v.Len() {
		if err := pack(e, v.Index(i)); err != nil {
			return err
		}
	}
	return nil
}

// holdsBytes tells a binary from a list.
func holdsBytes(t reflect.Type) bool { return t.Elem().Kind() == reflect.Uint8 }

func errKind(v reflect.Value) error { return fmt.Errorf("a body cannot hold a %s", v.Type()) }
