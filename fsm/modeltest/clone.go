package modeltest

import (
	"reflect"
	"strings"
	"unsafe"
)

// attempt carries something out that is done as a whole or not at all: it
// puts everything back as it was unless do says that it was accepted. What
// was found in the model before is not part of it any more after that.
func (m *Model) attempt(do func() bool) {
	before := (&copier{map[unsafe.Pointer]reflect.Value{}}).value(reflect.ValueOf(m).Elem())
	m.attempting, m.short, m.full = true, nil, nil
	for _, q := range m.queues {
		q.arrived, q.settled = amount{}, amount{}
		q.gaveWay = q.dlq != nil && q.oldest() != nil
	}
	m.keepLines()
	done := do()
	for _, q := range m.queues {
		q.lasting, q.met = nil, nil
	}
	short, toil := m.short, m.toil
	if !done {
		reflect.ValueOf(m).Elem().Set(before)
		m.toil = toil
	}
	if m.attempting, m.short, m.full = false, nil, nil; !done && short != nil {
		m.note(m.incarnations[short.queue], *short)
	}
}

// copier copies everything that is reached from a value, each thing once.
type copier struct {
	seen map[unsafe.Pointer]reflect.Value
}

// ours: the types of this package; what others made is never written to.
func ours(t reflect.Type) bool { return strings.HasSuffix(t.PkgPath(), "/modeltest") }

func (c *copier) value(v reflect.Value) reflect.Value {
	switch v.Kind() {
	case reflect.Pointer:
		return c.pointer(v)
	case reflect.Struct:
		return c.structure(v)
	case reflect.Slice:
		if v.IsNil() || v.Type().Elem().Kind() == reflect.Uint8 {
			return v
		}
		out := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		for i := range v.Len() {
			out.Index(i).Set(c.value(v.Index(i)))
		}
		return out
	case reflect.Map:
		if v.IsNil() {
			return v
		}
		out := reflect.MakeMapWithSize(v.Type(), v.Len())
		for i := v.MapRange(); i.Next(); {
			out.SetMapIndex(c.value(i.Key()), c.value(i.Value()))
		}
		return out
	}
	return v
}

func (c *copier) pointer(v reflect.Value) reflect.Value {
	if v.IsNil() || !ours(v.Type().Elem()) {
		return v
	}
	if done, ok := c.seen[v.UnsafePointer()]; ok {
		return done
	}
	out := reflect.New(v.Type().Elem())
	c.seen[v.UnsafePointer()] = out
	out.Elem().Set(c.value(v.Elem()))
	return out
}

func (c *copier) structure(v reflect.Value) reflect.Value {
	out := reflect.New(v.Type()).Elem()
	out.Set(v)
	if !ours(v.Type()) {
		return out
	}
	for i := range out.NumField() {
		field := out.Field(i)
		// Reflection does not write fields that are not exported.
		field = reflect.NewAt(field.Type(), unsafe.Pointer(field.UnsafeAddr())).Elem()
		field.Set(c.value(field))
	}
	return out
}
