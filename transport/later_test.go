package transport

import (
	"reflect"
	"testing"

	"github.com/ferrymq/ferrymq/transport/wire"
)

// firstFields is how many fields the hand-written structs had in their first
// form; the others tell by their tags.
var firstFields = map[reflect.Type]int{
	reflect.TypeFor[Verdict]():    3,
	reflect.TypeFor[Delivery]():   15,
	reflect.TypeFor[Events]():     3,
	reflect.TypeFor[PeerEvents](): 5,
}

// firstForm encodes a value as it was before fields were added, by the rules
// of the specification and nothing else.
func firstForm(v reflect.Value) []byte {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return []byte{0xc0}
		}
		return firstForm(v.Elem())
	case reflect.Struct:
		n, ok := firstFields[v.Type()]
		if !ok {
			n = required(v.Type())
		}
		out := wire.AppendArrayLen(nil, n)
		for i := range n {
			out = append(out, firstForm(v.Field(i))...)
		}
		return out
	case reflect.Slice:
		if holdsBytes(v.Type()) {
			return wire.AppendBytes(nil, v.Bytes())
		}
		out := wire.AppendArrayLen(nil, v.Len())
		for i := range v.Len() {
			out = append(out, firstForm(v.Index(i))...)
		}
		return out
	}
	return Marshal(v.Interface())
}

// clearLater makes the later fields of a value zero.
func clearLater(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			clearLater(v.Elem())
		}
	case reflect.Struct:
		n, ok := firstFields[v.Type()]
		if !ok {
			n = required(v.Type())
		}
		for i := range v.NumField() {
			if i >= n {
				v.Field(i).SetZero()
			} else {
				clearLater(v.Field(i))
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			clearLater(v.Index(i))
		}
	}
}

// TestFirstFormsAreUnderstood reads every body as a build from before its
// later fields writes it, into one that was used before.
func TestFirstFormsAreUnderstood(t *testing.T) {
	all := samples(t)
	all = append(all, of("list", 1000, 0, QueueList{Queues: []QueueInfo{sampleSubscription}}))
	shorter := 0
	for _, s := range all {
		if s.body == nil {
			continue
		}
		v := reflect.ValueOf(s.body)
		if _, raw := v.Elem().Type().FieldByName("Count"); raw || s.op == OpCommit || s.op == OpRequest || s.op == OpReply {
			continue // raw binaries are no values; none of these has later fields
		}
		payload := firstForm(v)
		if len(payload) < len(s.payload()) {
			shorter++
		}
		got := s.empty()
		if err := got.Decode(s.payload()); err != nil {
			t.Fatal(err)
		}
		clearLater(v)
		if err := got.Decode(payload); err != nil || !same(got, s.body) {
			t.Errorf("%s: %+v, %v, want %+v", s.name, got, err, s.body)
		}
	}
	if shorter < 12 {
		t.Errorf("only %d bodies have later fields", shorter)
	}
}

// TestPlainBodiesStayShort: what nobody uses takes no room in the frames that
// are sent for every message.
func TestPlainBodiesStayShort(t *testing.T) {
	for name, test := range map[string]struct {
		body, first []byte
		extra       int
	}{
		"verdict":     {Verdict{Code: CodeBusy}.AppendTo(nil), firstForm(reflect.ValueOf(Verdict{Code: CodeBusy})), 0},
		"delivery":    {new(Delivery).AppendTo(nil), firstForm(reflect.ValueOf(Delivery{})), 0},
		"events":      {new(Events).AppendTo(nil), firstForm(reflect.ValueOf(Events{})), 1},
		"peer events": {new(PeerEvents).AppendTo(nil), firstForm(reflect.ValueOf(PeerEvents{})), 1},
	} {
		if len(test.body) != len(test.first)+test.extra {
			t.Errorf("%s: %d bytes, at first %d", name, len(test.body), len(test.first))
		}
	}
}

// TestHotBodiesDoNotAllocate covers what is sent and read for every message.
func TestHotBodiesDoNotAllocate(t *testing.T) {
	publish, events := benchPublish(), benchEvents(100)
	events.Results = []Result{{Stream: 8, Index: 1 << 20, Position: 2}}
	events.Answers = []Answer{{Handle: 1, Number: 7, Index: 9, Record: make([]byte, 100)}}
	events.Deliveries[0].Request = true
	settle := Settle{OpHeader: sampleHeader, Items: make([]SettleItem, 100)}
	buf := make([]byte, 0, 1<<20)
	for name, test := range map[string]struct {
		body body
		into body
	}{
		"settle": {&settle, new(Settle)},
		"events": {&events, new(Events)},
		"credit": {&Credit{Handle: 1, Consumer: 2, Through: 3}, new(Credit)},
		"await":  {&Await{Handle: 1, Number: 7}, new(Await)},
	} {
		if n := testing.AllocsPerRun(20, func() { buf = test.body.AppendTo(buf[:0]) }); n != 0 {
			t.Errorf("%s: %v allocations to encode", name, n)
		}
		payload := test.body.AppendTo(nil)
		if n := testing.AllocsPerRun(20, func() {
			if err := test.into.Decode(payload); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations to decode", name, n)
		}
	}
	if n := testing.AllocsPerRun(20, func() { buf = publish.AppendTo(buf[:0]) }); n != 0 {
		t.Errorf("publish: %v allocations to encode", n)
	}
}
