package record

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

// goldens are the messages whose records are fixed in testdata/golden.
func goldens() map[string]*Message {
	priority := uint8(9)
	return map[string]*Message{
		"empty": {},
		"plain": {Body: []byte("hello")},
		"rich": {
			Body:        []byte(`{"id":7}`),
			ContentType: "application/json", CorrelationID: "c-1",
			Headers: []Header{{"trace", "abc"}, {"größe", ""}},
		},
		"full": {
			Body: []byte("x"), DedupID: "d", GroupKey: "g", Priority: &priority, TTLMillis: 1000, DelayMillis: 2000,
			DeliverAtMillis: 1767225600000, ReplyTo: "r", Tenant: "t", DeadlineMillis: 1767225660000, Subject: "order.created",
		},
	}
}

func readHex(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "golden", name+".hex"))
	if err != nil {
		t.Fatal(err)
	}
	b, err := hex.DecodeString(strings.Join(strings.Fields(string(text)), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestGolden(t *testing.T) {
	for name, m := range goldens() {
		got, err := Append(nil, m)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if *update {
			path := filepath.Join("testdata", "golden", name+".hex")
			if err := os.WriteFile(path, []byte(hex.EncodeToString(got)+"\n"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want := readHex(t, name)
		if !bytes.Equal(got, want) {
			t.Errorf("%s: appended\n%x\ngolden\n%x", name, got, want)
		}
		v, err := Parse(want)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		back := v.Message()
		if len(back.Body) == 0 {
			back.Body = nil
		}
		if !reflect.DeepEqual(&back, m) {
			t.Errorf("%s: parsed %+v, want %+v", name, back, *m)
		}
	}
}
