package transport

import (
	"bytes"
	"encoding/hex"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

func writeHex(t *testing.T, path string, b []byte) {
	t.Helper()
	text := hex.EncodeToString(b)
	var lines []string
	for len(text) > 64 {
		lines, text = append(lines, text[:64]), text[64:]
	}
	if err := os.WriteFile(path, []byte(strings.Join(append(lines, text), "\n")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
}

// golden compares bytes with the file, or writes it.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", "golden", name+".hex")
	if *update {
		writeHex(t, path, got)
	}
	if want := hexFile(t, path); !bytes.Equal(got, want) {
		t.Errorf("%s: encoded\n%x\ngolden\n%x", name, got, want)
	}
}

func TestGoldenFrames(t *testing.T) {
	seen := map[Op]bool{}
	for _, s := range samples(t) {
		seen[s.op] = true
		golden(t, s.name, s.frame())
		b := hexFile(t, filepath.Join("testdata", "golden", s.name+".hex"))
		f, n, err := DecodeFrame(b, PeerFrameMax)
		if err != nil || n != len(b) || f.Op != s.op || f.Stream != s.stream || f.Flags != 0 {
			t.Errorf("%s: %+v, %d bytes, %v", s.name, f, n, err)
			continue
		}
		if s.body == nil {
			if len(f.Payload) != 0 {
				t.Errorf("%s: payload %x", s.name, f.Payload)
			}
			continue
		}
		got := s.empty()
		if err := got.Decode(f.Payload); err != nil {
			t.Errorf("%s: %v", s.name, err)
		} else if again := got.AppendTo(nil); !bytes.Equal(again, f.Payload) || !same(got, s.body) {
			t.Errorf("%s:\ndecoded %+v\nwant    %+v", s.name, got, s.body)
		}
	}
	for op := range opNames {
		if !seen[op] {
			t.Errorf("%s has no golden frame", op)
		}
	}
}

// same compares bodies; an empty slice is as good as none.
func same(a, b any) bool {
	return reflect.DeepEqual(normal(reflect.ValueOf(a)), normal(reflect.ValueOf(b)))
}

// normal rewrites a value into lists of its leaves.
func normal(v reflect.Value) any {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return normal(v.Elem())
	case reflect.Struct:
		out := []any{v.Type().Name()}
		for i := range v.NumField() {
			out = append(out, normal(v.Field(i)))
		}
		return out
	case reflect.Slice, reflect.Array:
		out := []any{}
		for i := range v.Len() {
			out = append(out, normal(v.Index(i)))
		}
		return out
	}
	return v.Interface()
}

func TestGoldenPrefaces(t *testing.T) {
	for name, p := range map[string]Preface{
		"preface-client": {Kind: KindClient},
		"preface-peer":   {Kind: KindPeer, ClusterID: sampleCluster},
		"preface-raft":   {Kind: KindRaft, ClusterID: sampleCluster, Group: 3},
	} {
		golden(t, name, AppendPreface(nil, p))
		got, err := ReadPreface(bytes.NewReader(hexFile(t, filepath.Join("testdata", "golden", name+".hex"))))
		if err != nil || got != p {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

// TestEveryGoldenFileIsUsed finds files whose sample is gone.
func TestEveryGoldenFileIsUsed(t *testing.T) {
	known := map[string]bool{"preface-client": true, "preface-peer": true, "preface-raft": true}
	for _, s := range samples(t) {
		known[s.name] = true
	}
	files, err := filepath.Glob("testdata/golden/*.hex")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if name := strings.TrimSuffix(filepath.Base(f), ".hex"); !known[name] {
			t.Errorf("%s belongs to no sample", f)
		}
	}
}
