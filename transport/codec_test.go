package transport

import (
	"bytes"
	"errors"
	"reflect"
	"testing"

	"github.com/ferrymq/ferrymq/transport/wire"
	"github.com/vmihailenco/msgpack/v5"
)

// TestBodiesAreMsgpack reads every body with the reference library and writes
// it again.
func TestBodiesAreMsgpack(t *testing.T) {
	for _, s := range samples(t) {
		if s.body == nil {
			continue
		}
		var tree []any
		if err := msgpack.Unmarshal(s.payload(), &tree); err != nil {
			t.Errorf("%s: %v", s.name, err)
			continue
		}
		var b bytes.Buffer
		e := msgpack.NewEncoder(&b)
		e.UseCompactInts(true)
		if err := e.Encode(tree); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(b.Bytes(), s.payload()) {
			t.Errorf("%s: ours %x, reference %x", s.name, s.payload(), b.Bytes())
		}
	}
}

// grow adds an element to every array in a tree that is a struct's; lists stay.
func grow(v reflect.Value, tree any) any {
	for v.Kind() == reflect.Pointer && !v.IsNil() {
		v = v.Elem()
	}
	list, ok := tree.([]any)
	if !ok {
		return tree
	}
	switch {
	case v.Kind() == reflect.Struct:
		out := []any{}
		for i := range list {
			out = append(out, grow(field(v, i), list[i]))
		}
		for i := len(list); field(v, i).IsValid(); i++ { // what was left out because it is zero
			out = append(out, field(v, i).Interface())
		}
		return append(out, "added later", []any{uint64(1)})
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() != reflect.Uint8:
		out := []any{}
		for i := range list {
			out = append(out, grow(v.Index(i), list[i]))
		}
		return out
	}
	return tree
}

// field is the i-th element of a struct's array: the count of raw binaries has none.
func field(v reflect.Value, i int) reflect.Value {
	n := 0
	for f := range v.NumField() {
		if v.Type().Field(f).Name == "Count" {
			continue
		}
		if n == i {
			return v.Field(f)
		}
		n++
	}
	return reflect.Value{}
}

// TestFurtherElementsAreIgnored adds elements to every struct in every body.
func TestFurtherElementsAreIgnored(t *testing.T) {
	for _, s := range samples(t) {
		if s.body == nil {
			continue
		}
		var tree any
		if err := msgpack.Unmarshal(s.payload(), &tree); err != nil {
			t.Fatal(err)
		}
		grown, err := msgpack.Marshal(grow(reflect.ValueOf(s.body), tree))
		if err != nil {
			t.Fatal(err)
		}
		got := s.empty()
		if err := got.Decode(grown); err != nil {
			t.Errorf("%s: %v", s.name, err)
		} else if s.op != OpPublish && s.op != OpCommit && !same(got, s.body) { // their raw records were encoded anew
			t.Errorf("%s: %+v, want %+v", s.name, got, s.body)
		}
	}
}

// TestTruncatedBodies cuts every body at every place.
func TestTruncatedBodies(t *testing.T) {
	for _, s := range samples(t) {
		p := s.payload()
		for i := range p {
			err := s.empty().Decode(p[:i])
			var wrong *FrameError
			if !errors.Is(err, ErrMalformed) || !errors.As(err, &wrong) || wrong.Offset > int64(i) {
				t.Errorf("%s: first %d bytes: %v", s.name, i, err)
			}
		}
		if s.body != nil {
			if err := s.empty().Decode(append(p, 0)); !errors.Is(err, wire.ErrTrailing) {
				t.Errorf("%s: trailing byte: %v", s.name, err)
			}
		}
	}
}

func TestEachRecord(t *testing.T) {
	raw := wire.AppendBytes(wire.AppendBytes(nil, []byte("one")), []byte("two"))
	var got []string
	keep := func(b []byte) error { got = append(got, string(b)); return nil }
	if err := EachRecord(raw, 2, keep); err != nil || len(got) != 2 || got[1] != "two" {
		t.Fatalf("%q, %v", got, err)
	}
	for _, count := range []uint32{1, 3} {
		if err := EachRecord(raw, count, keep); !errors.Is(err, ErrMalformed) {
			t.Errorf("count %d: %v", count, err)
		}
	}
	stop := errors.New("stop")
	if err := EachRecord(raw, 2, func([]byte) error { return stop }); err != stop {
		t.Errorf("the callback's error: %v", err)
	}
}

func TestDecodeOpHeader(t *testing.T) {
	for _, s := range samples(t) {
		v := reflect.ValueOf(s.body)
		if s.body == nil {
			continue
		}
		want := v.Elem().FieldByName("OpHeader")
		if !want.IsValid() {
			continue
		}
		if h, err := DecodeOpHeader(s.payload()); err != nil || h != want.Interface().(OpHeader) {
			t.Errorf("%s: %+v, %v", s.name, h, err)
		}
	}
}

// TestCountLimits claims more items than a body may have.
func TestCountLimits(t *testing.T) {
	publish := Publish{Queue: "q", Count: MessagesMax + 1, Records: bytes.Repeat([]byte{0xc4, 0}, MessagesMax+1)}
	if err := new(Publish).Decode(publish.AppendTo(nil)); !errors.Is(err, wire.ErrTooMany) {
		t.Errorf("publish: %v", err)
	}
	settle := Settle{Items: make([]SettleItem, MessagesMax+1)}
	if err := new(Settle).Decode(settle.AppendTo(nil)); !errors.Is(err, wire.ErrTooMany) {
		t.Errorf("settle: %v", err)
	}
	attach := Attach{Tokens: make([]uint64, TokensMax+1)}
	if err := new(Attach).Decode(attach.AppendTo(nil)); !errors.Is(err, wire.ErrTooMany) {
		t.Errorf("attach: %v", err)
	}
}

func TestCodes(t *testing.T) {
	err := error(Errorf(CodeBusy, "queue %s", "jobs"))
	if !errors.Is(err, CodeBusy) || errors.Is(err, CodeInvalid) || err.Error() != "busy: queue jobs" {
		t.Errorf("%v", err)
	}
	if e := AsError(err); e.Code != CodeBusy || !e.Retryable {
		t.Errorf("%+v", e)
	}
	if e := AsError(new(Publish).Decode([]byte{0xc0})); e.Code != CodeMalformed || e.Retryable {
		t.Errorf("%+v", e)
	}
	if e := AsError(errors.New("odd")); e.Code != CodeInternal {
		t.Errorf("%+v", e)
	}
	for c := range codeNames {
		if c.Accepted() && c.Retryable() {
			t.Errorf("%s is both", c)
		}
	}
	if Code(999).String() != "code 999" || Cause(99).String() != "cause 99" || Op(999).String() != "op 999" {
		t.Error("unknown numbers have no name")
	}
}
