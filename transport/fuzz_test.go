package transport

import (
	"bytes"
	"errors"
	"reflect"
	"testing"
)

// The declared limit of what a decoded body holds: bytes for each byte of its
// input, and a little for the body itself. On the way there the msgpack
// library has each string a second time, in its own buffer.
const (
	heldPerByte = 24 // a QueueInfo whose later fields are missing comes closest
	heldBase    = 1 << 10
)

// held counts the memory that a decoded value holds, besides the input.
func held(v reflect.Value, input []byte) int {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return 0
		}
		return int(v.Elem().Type().Size()) + held(v.Elem(), input)
	case reflect.Struct:
		n := 0
		for i := range v.NumField() {
			n += held(v.Field(i), input)
		}
		return n
	case reflect.String:
		return v.Len()
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 && aliases(v.Bytes(), input) {
			return 0
		}
		n := v.Cap() * int(v.Type().Elem().Size())
		for i := range v.Len() {
			n += held(v.Index(i), input)
		}
		return n
	}
	return 0
}

// aliases tells that b lies within input.
func aliases(b, input []byte) bool {
	if cap(b) == 0 || cap(input) == 0 {
		return len(b) == 0
	}
	at, from := reflect.ValueOf(b).Pointer(), reflect.ValueOf(input).Pointer()
	return at >= from && at+uintptr(len(b)) <= from+uintptr(cap(input))
}

// bodies makes an empty body for each op, and for those inside other bodies.
func bodies(t testing.TB) map[Op]func() body {
	out := map[Op]func() body{
		1000: func() body { return new(QueueList) },
		1001: func() body { return new(ClusterInfo) },
		1002: func() body { return new(OpHeader) },
		1003: func() body { return new(QueueInfo) },
		1004: func() body { return new(TopicInfo) },
		1005: func() body { return new(TopicList) },
		1006: func() body { return new(BrowseQuery) },
		1007: func() body { return new(BrowseReply) },
		1008: func() body { return new(ExplainReply) },
		1009: func() body { return new(TraceQuery) },
		1010: func() body { return new(TraceReply) },
		1011: func() body { return new(TenantList) },
	}
	for _, s := range samples(t) {
		if s.body != nil {
			out[s.op] = s.empty
		}
	}
	return out
}

func FuzzBodies(f *testing.F) {
	for _, s := range samples(f) {
		if s.body != nil {
			f.Add(uint16(s.op), s.payload())
		}
	}
	f.Add(uint16(1000), QueueList{Queues: make([]QueueInfo, 2)}.AppendTo(nil))
	f.Add(uint16(1001), ClusterInfo{Groups: make([]GroupStatus, 1)}.AppendTo(nil))
	f.Add(uint16(1000), firstForm(reflect.ValueOf(QueueList{Queues: make([]QueueInfo, 50)})))
	f.Add(uint16(1003), sampleSubscription.AppendTo(nil))
	f.Add(uint16(1004), sampleTopic.AppendTo(nil))
	f.Add(uint16(1005), TopicList{Topics: []TopicInfo{sampleTopic}}.AppendTo(nil))
	f.Add(uint16(1006), sampleBrowse.AppendTo(nil))
	f.Add(uint16(1007), sampleBrowsed([]byte("record")).AppendTo(nil))
	f.Add(uint16(1008), sampleExplain.AppendTo(nil))
	f.Add(uint16(1009), TraceQuery{Index: 1001, Position: 2}.AppendTo(nil))
	f.Add(uint16(1010), sampleTrace.AppendTo(nil))
	f.Add(uint16(1011), sampleTenants.AppendTo(nil))
	f.Add(uint16(OpCommit), append([]byte{0x93, 0x95, 0, 0, 0, 0xc2, 0, 0x90, 0xdc, 0x03, 0xe8}, bytes.Repeat([]byte{0x92, 0xa0, 0x90}, 1000)...))
	f.Add(uint16(OpEvents), append([]byte{0x93, 0xdc, 0xff, 0xff}, make([]byte, 600)...))
	f.Add(uint16(OpPublish), []byte{0x93, 0x95, 0, 0, 0, 0xc2, 0, 0xa0, 0xdd, 0xff, 0xff, 0xff, 0xff})
	known := bodies(f)
	f.Fuzz(func(t *testing.T, op uint16, payload []byte) {
		empty, ok := known[Op(op)]
		if !ok || len(payload) > PeerFrameMax {
			return
		}
		b := empty()
		err := b.Decode(payload)
		if n := held(reflect.ValueOf(b).Elem(), payload); n > heldPerByte*len(payload)+heldBase {
			t.Fatalf("%s: %d bytes held for an input of %d", Op(op), n, len(payload))
		}
		if err != nil {
			if !errors.Is(err, ErrMalformed) {
				t.Fatalf("%s: %v", Op(op), err)
			}
			return
		}
		// Decoded, it is written and read again as the same. Raw binaries may
		// have been written in a longer form, and stay so.
		again := empty()
		if err := again.Decode(b.AppendTo(nil)); err != nil {
			t.Fatalf("%s: own encoding refused: %v", Op(op), err)
		}
		if !same(b, again) {
			t.Fatalf("%s: %+v became %+v", Op(op), b, again)
		}
	})
}

func FuzzFrame(f *testing.F) {
	for _, s := range samples(f) {
		f.Add(s.frame())
	}
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0, 16, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		const limit = 1 << 20
		f1, n, err1 := DecodeFrame(b, limit)
		f2, err2 := ReadFrame(bytes.NewReader(b), nil, limit)
		if (err1 == nil) != (err2 == nil) {
			t.Fatalf("in place %v, from a stream %v", err1, err2)
		}
		if c := cap(f2.Payload); c > 2*len(b)+2*readStep {
			t.Fatalf("%d bytes allocated for %d", c, len(b))
		}
		if err1 != nil {
			return
		}
		if !bytes.Equal(f1.Payload, f2.Payload) || !bytes.Equal(AppendFrame(nil, f1), b[:n]) {
			t.Fatalf("%x is not written as it was read", b[:n])
		}
	})
}

func FuzzPreface(f *testing.F) {
	f.Add(AppendPreface(nil, Preface{Kind: KindClient}))
	f.Add(AppendPreface(nil, Preface{Kind: KindRaft, ClusterID: sampleCluster, Group: 3}))
	f.Add([]byte("GET / HTTP/1.1\r\n"))
	f.Add([]byte(magic + "\x02\x01"))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := ReadPreface(bytes.NewReader(b))
		if err != nil {
			var wrong *FrameError
			if !errors.As(err, &wrong) {
				t.Fatalf("untyped error: %v", err)
			}
			return
		}
		if !bytes.Equal(AppendPreface(nil, p), b[:PrefaceSize]) {
			t.Fatalf("%x is not written as it was read", b[:PrefaceSize])
		}
	})
}
