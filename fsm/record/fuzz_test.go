package record

import (
	"bytes"
	"testing"
)

// FuzzRecord looks at arbitrary bytes in every way: no panic, the three ways
// agree, and a record whose attributes are all known is written again as it
// was read.
func FuzzRecord(f *testing.F) {
	for name := range goldens() {
		f.Add(readHex(f, name))
	}
	f.Add(build("\x01\x01a\x80\x03xyz", "\x01k\x01v", "body"))
	f.Add(build("\x05\x01\x20", "", ""))
	f.Add(build("", "\x01k\xff\xff\xff\xff\x0f", ""))
	f.Fuzz(func(t *testing.T, b []byte) {
		var info Info
		peek := info.Peek(b)
		v, parse := Parse(b)
		if parse == nil && peek != nil {
			t.Fatalf("parsed, but: %v", peek)
		}
		if peek == nil && (info.Size != len(b) || info.Logical > MessageMax) {
			t.Fatalf("%+v of %d bytes", info, len(b))
		}
		if parse != nil {
			repaired(t, b)
			return
		}
		same(t, v)
	})
}

// repaired gives the bytes a right checksum, so that fuzzing gets past it.
func repaired(t *testing.T, b []byte) {
	if len(b) < HeadSize {
		return
	}
	b = bytes.Clone(b)
	sum := checksum(b)
	b[offCRC], b[offCRC+1], b[offCRC+2], b[offCRC+3] = byte(sum>>24), byte(sum>>16), byte(sum>>8), byte(sum)
	if v, err := Parse(b); err == nil {
		same(t, v)
	}
}

func same(t *testing.T, v View) {
	for tag := range v.Attributes() {
		if tag >= tagIgnorable {
			return
		}
		if text, _ := tag.text(); !text && tag != TagPriority {
			return // zero is written as absent
		}
	}
	m := v.Message()
	again, err := Append(nil, &m)
	if err != nil || !bytes.Equal(again, v.Bytes()) {
		t.Fatalf("%x became %x, %v", v.Bytes(), again, err)
	}
}
