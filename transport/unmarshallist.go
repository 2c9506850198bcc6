package transport

import (
	"fmt"
	"reflect"

	"github.com/ferrymq/ferrymq/transport/wire"
	"github.com/vmihailenco/msgpack/v5/msgpcode"
)

// The arrays of a cold body: those that are structs and those that are lists.

// fields reads a struct, and skips what a newer writer added to it.
func (u *unpacker) fields(from int, code byte, v reflect.Value) error {
	n, err := u.arrayLen(from, code)
	if err != nil {
		return err
	}
	known := v.NumField()
	if n < known {
		if first := required(v.Type()); n < first {
			return misfit(from, wire.ErrMissing, fmt.Sprintf("want at least %d values, found %d", first, n))
		}
		for i := n; i < known; i++ {
			v.Field(i).SetZero()
		}
		known = n
	}
	for i := range known {
		u.path = append(u.path, fieldRef{of: v.Type(), index: i})
		if err := u.value(v.Field(i)); err != nil {
			return err // with the path to it
		}
		u.path = u.path[:len(u.path)-1]
	}
	for range n - known {
		if err := u.lib.Skip(); err != nil {
			return err
		}
	}
	return nil
}

// required is how many fields a struct had in its first form. The first one
// that was added later has a tag; it and those after it may be missing.
func required(t reflect.Type) int {
	for i := range t.NumField() {
		if t.Field(i).Tag == `body:"later"` {
			return i
		}
	}
	return t.NumField()
}

// list reads a list. Before it allocates, it asks for as many bytes as that
// many elements take at least: one byte each, which is all that the cursor
// has proven, could claim a hundred times its size.
func (u *unpacker) list(from int, code byte, v reflect.Value) error {
	n, err := u.arrayLen(from, code)
	if err != nil {
		return err
	}
	elem := v.Type().Elem()
	switch {
	case n > EventsItemsMax:
		return misfit(from, wire.ErrTooMany, fmt.Sprintf("more than %d values", EventsItemsMax))
	case n*least(elem) > u.in.Len():
		return misfit(from, wire.ErrTruncated, fmt.Sprintf("%d values cannot follow", n))
	case n == 0:
		v.SetZero()
		return nil
	}
	v.Set(reflect.MakeSlice(v.Type(), n, n))
	for i := range n {
		if err := u.value(v.Index(i)); err != nil {
			return err
		}
	}
	return nil
}

func (u *unpacker) arrayLen(from int, code byte) (int, error) {
	if !msgpcode.IsFixedArray(code) && code != msgpcode.Array16 && code != msgpcode.Array32 {
		return 0, unfit(from, "array", code)
	}
	return u.lib.DecodeArrayLen()
}

// least is the smallest size of an encoded value of the type.
func least(t reflect.Type) int {
	switch t.Kind() {
	case reflect.Struct:
		n := 1
		for i := range required(t) {
			n += least(t.Field(i).Type)
		}
		return n
	case reflect.Array:
		return 2 + t.Len()
	}
	return 1
}
