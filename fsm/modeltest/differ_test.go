package modeltest

import (
	"fmt"
	"reflect"
	"strings"
)

// differ tells in which fields a struct is not as it should be; "" if it is.
func differ[T any](got, want T) string {
	var b strings.Builder
	x, y := reflect.ValueOf(got), reflect.ValueOf(want)
	for i := range x.NumField() {
		if g, w := x.Field(i).Interface(), y.Field(i).Interface(); !reflect.DeepEqual(g, w) {
			fmt.Fprintf(&b, " %s %+v, want %+v;", x.Type().Field(i).Name, shown(g), shown(w))
		}
	}
	return b.String()
}

// shown is what a pointer points to.
func shown(v any) any {
	if p := reflect.ValueOf(v); p.Kind() == reflect.Pointer && !p.IsNil() {
		return p.Elem().Interface()
	}
	return v
}
