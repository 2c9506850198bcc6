package transport

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"
)

func TestFramesRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var stream []byte
		var frames []Frame
		for range rapid.IntRange(1, 5).Draw(t, "frames") {
			f := Frame{
				Op: Op(rapid.Uint16().Draw(t, "op")), Flags: rapid.Uint16().Draw(t, "flags"), Stream: rapid.Uint32().Draw(t, "stream"),
				Payload: bytes.Repeat([]byte{rapid.Byte().Draw(t, "byte")}, rapid.IntRange(0, 300_000).Draw(t, "length")),
			}
			frames, stream = append(frames, f), AppendFrame(stream, f)
		}
		r := iotest.HalfReader(bytes.NewReader(stream))
		var buf []byte
		for _, want := range frames {
			got, err := ReadFrame(r, buf, FrameMax)
			if err != nil || got.Op != want.Op || got.Flags != want.Flags || got.Stream != want.Stream || !bytes.Equal(got.Payload, want.Payload) {
				t.Fatalf("read op %d of %d bytes, %v", got.Op, len(got.Payload), err)
			}
			buf = got.Payload
			if dec, n, err := DecodeFrame(stream, FrameMax); err != nil || !bytes.Equal(dec.Payload, want.Payload) {
				t.Fatal(err)
			} else {
				stream = stream[n:]
			}
		}
		if _, err := ReadFrame(r, buf, FrameMax); err != io.EOF {
			t.Fatalf("at the end: %v", err)
		}
	})
}

func TestWrongFrames(t *testing.T) {
	good := AppendFrame(nil, Frame{Op: OpPublish, Stream: 7, Payload: []byte("payload")})
	for i := range good {
		bad := bytes.Clone(good)
		bad[i] ^= 0x10
		for _, err := range both(bad, 64) {
			if err == nil {
				t.Errorf("byte %d changed, and nobody noticed", i)
			}
		}
		for _, err := range both(good[:i], 64) {
			if i > 0 && !errors.Is(err, ErrTruncated) {
				t.Errorf("first %d bytes: %v", i, err)
			}
		}
	}
	for _, err := range both(good, 6) {
		if !errors.Is(err, ErrFrameTooLarge) || !strings.Contains(err.Error(), "7 bytes claimed, at most 6") {
			t.Errorf("limit: %v", err)
		}
	}
	bad := bytes.Clone(good)
	bad[20] ^= 1
	for _, err := range both(bad, 64) {
		if !errors.Is(err, ErrChecksum) || AsError(err).Code != CodeMalformed {
			t.Errorf("checksum: %v", err)
		}
	}
}

func both(b []byte, limit uint32) []error {
	_, err1 := ReadFrame(bytes.NewReader(b), nil, limit)
	_, _, err2 := DecodeFrame(b, limit)
	return []error{err1, err2}
}

// TestClaimGetsNoMemory claims a frame of the largest size and sends no byte of it.
func TestClaimGetsNoMemory(t *testing.T) {
	header := AppendFrame(nil, Frame{Op: OpPublish, Payload: make([]byte, FrameMax)})[:HeaderSize]
	r := testing.Benchmark(func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := ReadFrame(bytes.NewReader(header), nil, FrameMax); !errors.Is(err, ErrTruncated) {
				b.Fatal(err)
			}
		}
	})
	if got := r.AllocedBytesPerOp(); got > 2*readStep {
		t.Errorf("%d bytes allocated for a claim", got)
	}
}

func TestReadingReusesMemory(t *testing.T) {
	stream := AppendFrame(nil, Frame{Op: OpPublish, Payload: make([]byte, 1000)})
	r := bytes.NewReader(stream)
	buf := make([]byte, 2000)
	n := testing.AllocsPerRun(100, func() {
		r.Reset(stream)
		if _, err := ReadFrame(r, buf, FrameMax); err != nil {
			panic(err)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations a frame", n)
	}
}

func TestWrongPrefaces(t *testing.T) {
	good := AppendPreface(nil, Preface{Kind: KindPeer, ClusterID: sampleCluster})
	change := func(i int, x byte) []byte {
		b := bytes.Clone(good)
		b[i] = x
		return b
	}
	withSum := func(b []byte) []byte {
		p := AppendPreface(nil, Preface{Kind: Kind(b[7])})
		return p
	}
	for name, test := range map[string]struct {
		in   []byte
		want error
	}{
		"magic":    {[]byte("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"), ErrMagic},
		"version":  {change(6, 2), ErrVersion},
		"short":    {good[:31], ErrTruncated},
		"empty":    {nil, ErrTruncated},
		"checksum": {change(20, 0xaa), ErrChecksum},
		"kind 0":   {withSum(change(7, 0)), ErrMalformed},
		"kind 9":   {withSum(change(7, 9)), ErrMalformed},
	} {
		if _, err := ReadPreface(bytes.NewReader(test.in)); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
	if _, err := DecodePreface(append(bytes.Clone(good), 0)); !errors.Is(err, ErrMalformed) {
		t.Errorf("trailing byte: %v", err)
	}
}
