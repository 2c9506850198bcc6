package transport

import (
	"bytes"
	"errors"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/ferrymq/ferrymq/transport/wire"
)

// odd has a field of every kind that a cold body may have.
type odd struct {
	Flag  bool
	Small uint8
	Large uint64
	Short int16
	Long  int64
	Text  string
	Bytes []byte
	ID    [4]byte
	List  []NodeInfo
	Maybe *NodeInfo
}

// oddFields are the encoded fields of a good odd.
func oddFields() [][]byte {
	return [][]byte{{0xc3}, {7}, {0xcf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, {0xd0, 0x80}, {0xff}, {0xa1, 'x'},
		{0xc4, 1, 9}, {0xc4, 4, 1, 2, 3, 4}, {0x91, 0x92, 0xa1, 'a', 0xa1, 'b'}, {0xc0}}
}

func join(fields [][]byte) []byte {
	return append(wire.AppendArrayLen(nil, len(fields)), bytes.Join(fields, nil)...)
}

// TestColdIsStrict replaces one field after the other by something that the
// library would take and the protocol does not.
func TestColdIsStrict(t *testing.T) {
	var o odd
	if err := Unmarshal(join(oddFields()), &o); err != nil || !bytes.Equal(Marshal(o), join(oddFields())) {
		t.Fatalf("%+v, %v", o, err)
	}
	null := []byte{0xc0}
	for _, test := range []struct {
		field int
		value []byte
		want  error
		text  string
	}{
		{0, null, wire.ErrKind, "field Flag: value of another kind: want boolean, found type byte 0xc0"},
		{0, []byte{1}, wire.ErrKind, "field Flag"},
		{1, null, wire.ErrKind, "field Small"},
		{1, []byte{0xcd, 1, 0}, wire.ErrRange, "not of uint8"},
		{1, []byte{0xff}, wire.ErrRange, "negative"},
		{2, []byte{0xd3, 0x80, 0, 0, 0, 0, 0, 0, 0}, wire.ErrRange, "negative"},
		{2, []byte{0xcb, 0, 0, 0, 0, 0, 0, 0, 0}, wire.ErrKind, "want integer"},
		{3, []byte{0xcd, 0x80, 0}, wire.ErrRange, "not of int16"},
		{3, []byte{0xd2, 0xff, 0xff, 0, 0}, wire.ErrRange, "not of int16"},
		{4, []byte{0xcf, 0x80, 0, 0, 0, 0, 0, 0, 0}, wire.ErrRange, "too large"},
		{5, []byte{0xc4, 1, 'x'}, wire.ErrKind, "want string"},
		{5, null, wire.ErrKind, "want string"},
		{6, []byte{0xa1, 'x'}, wire.ErrKind, "want binary"},
		{6, null, wire.ErrKind, "want binary"},
		{7, []byte{0xc4, 3, 1, 2, 3}, wire.ErrTooShort, "want 4 bytes, found 3"},
		{7, []byte{0xc4, 5, 1, 2, 3, 4, 5}, wire.ErrTooLong, "want 4 bytes, found 5"},
		{8, null, wire.ErrKind, "want array"},
		{8, []byte{0x92, 0x92, 0xa0}, wire.ErrTruncated, ""},
		{8, []byte{0x93, 0xc0, 0xc0, 0xc0}, wire.ErrTruncated, "3 values cannot follow"},
		{8, []byte{0x91, 0x93, 0xa1, 'a', 5, 0xc0}, wire.ErrKind, "field List.ClientAddr: "},
		{9, []byte{0x91, 0xa0}, wire.ErrMissing, "field Maybe: array too short: want at least 2 values, found 1"},
	} {
		fields := oddFields()
		at := 1 + len(bytes.Join(fields[:test.field], nil))
		size := len(test.value)
		fields[test.field] = test.value
		err := Unmarshal(join(fields), new(odd))
		var wrong *FrameError
		if !errors.Is(err, test.want) || !errors.Is(err, ErrMalformed) || !strings.Contains(err.Error(), test.text) {
			t.Errorf("field %d as %x: %v", test.field, test.value, err)
		} else if errors.As(err, &wrong); wrong.Of != "odd" || test.want != wire.ErrTruncated && (wrong.Offset < int64(at) || wrong.Offset >= int64(at+size)) {
			t.Errorf("field %d as %x at %d: %v", test.field, test.value, at, err)
		}
	}
}

// TestUnmarshalKeepsNothing decodes into a used value and then spoils the payload.
func TestUnmarshalKeepsNothing(t *testing.T) {
	used := odd{Bytes: []byte("old"), List: make([]NodeInfo, 9), Maybe: &NodeInfo{Node: "old"}}
	payload := join(oddFields())
	if err := Unmarshal(payload, &used); err != nil {
		t.Fatal(err)
	}
	clear(payload)
	if used.Maybe != nil || used.Text != "x" || used.Bytes[0] != 9 || !slices.Equal(used.List, []NodeInfo{{Node: "a", ClientAddr: "b"}}) {
		t.Errorf("%+v", used)
	}
	if err := Unmarshal(Marshal(odd{}), &used); err != nil || used.Bytes != nil || used.List != nil {
		t.Errorf("%+v, %v", used, err)
	}
}

// TestAppendsInPlace: a body goes behind what is there, into its room.
func TestAppendsInPlace(t *testing.T) {
	b := append(make([]byte, 0, 64), "head"...)
	out := End{Handle: 5}.AppendTo(b)
	if string(out) != "head\x91\x05" || &out[0] != &b[0] {
		t.Errorf("%x", out)
	}
}

// TestDeepElementsAreSkipped puts a further element of the depth that the
// protocol allows into the innermost struct of the deepest body.
func TestDeepElementsAreSkipped(t *testing.T) {
	member := wire.AppendArrayLen(nil, 10)
	member = append(member, Marshal(MemberInfo{Node: "n"})[1:]...)
	member = append(append(member, bytes.Repeat([]byte{0x91}, 63)...), 0x90)
	group := Marshal(GroupStatus{Digest: "d"})
	group = append(append(group[:len(group)-2], 0x91), member...) // Members and Alarms are the last
	group = append(group, 0x90)
	payload := Marshal(ClusterInfo{Node: "n"})
	payload = append(append(payload[:len(payload)-1], 0x91), group...)
	var info ClusterInfo
	if err := info.Decode(payload); err != nil || info.Groups[0].Members[0].Node != "n" {
		t.Errorf("%+v, %v", info, err)
	}
	err := info.Decode(append(bytes.Repeat([]byte{0x91}, 1<<20), 0x90))
	if !errors.Is(err, wire.ErrDepth) {
		t.Errorf("a million levels: %v", err)
	}
}

// TestClaimsAllocateNothing sends lengths that no bytes follow.
func TestClaimsAllocateNothing(t *testing.T) {
	const rounds, most = 100, 4 << 10
	claims := map[string][]byte{
		"string":  {0x92, 0xdb, 0xff, 0xff, 0xff, 0xff},
		"list":    {0x92, 0xa0, 0xdd, 0xff, 0xff, 0xff, 0xff},
		"struct":  {0xdd, 0xff, 0xff, 0xff, 0xff, 0xa0},
		"further": {0x93, 0xa0, 0x90, 0xc6, 0xff, 0xff, 0xff, 0xff},
		"nils":    append([]byte{0x92, 0xa0, 0xdc, 0x0f, 0xff}, bytes.Repeat([]byte{0xc0}, 0x0fff)...),
	}
	for name, payload := range claims {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range rounds {
			if err := new(GoAway).Decode(payload); !errors.Is(err, ErrMalformed) {
				t.Errorf("%s: %v", name, err)
			}
		}
		runtime.ReadMemStats(&after)
		if each := (after.TotalAlloc - before.TotalAlloc) / rounds; each > most {
			t.Errorf("%s: %d bytes allocated for %d", name, each, len(payload))
		}
	}
}

func TestMarshalRefusesOtherTypes(t *testing.T) {
	defer func() {
		if text, _ := recover().(string); !strings.Contains(text, "a body cannot hold a map[string]string") {
			t.Errorf("panicked with %q", text)
		}
	}()
	Marshal(struct{ M map[string]string }{})
}
