package transport

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/ferrymq/ferrymq/transport/wire"
)

const specification = "../docs/protocol.md"

// documented collects the golden blocks of the specification: hex, with what
// follows a # on a line explained.
func documented(t *testing.T) map[string][]byte {
	t.Helper()
	f, err := os.Open(specification)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	out := map[string][]byte{}
	name := ""
	for lines := bufio.NewScanner(f); lines.Scan(); {
		line := lines.Text()
		if block, ok := strings.CutPrefix(line, "```golden "); ok {
			name = block
			out[name] = []byte{}
			continue
		}
		if strings.HasPrefix(line, "```") {
			name = ""
		}
		if name == "" {
			continue
		}
		digits, _, _ := strings.Cut(line, "#")
		b, err := hex.DecodeString(strings.Join(strings.Fields(digits), ""))
		if err != nil {
			t.Errorf("%s: %q: %v", name, line, err)
		}
		out[name] = append(out[name], b...)
	}
	return out
}

// TestSpecificationHasTheGoldenBytes compares what docs/protocol.md explains
// with the golden files.
func TestSpecificationHasTheGoldenBytes(t *testing.T) {
	blocks := documented(t)
	for _, name := range []string{"preface-client", "hello", "hellook", "open", "attach", "publish", "settle", "commit", "amend", "events-answers", "events", "error", "record/plain", "record/rich"} {
		if blocks[name] == nil {
			t.Errorf("%s is not explained", name)
		}
	}
	for name, got := range blocks {
		path := filepath.Join("testdata", "golden", name+".hex")
		if record, ok := strings.CutPrefix(name, "record/"); ok {
			path = filepath.Join("..", "fsm", "record", "testdata", "golden", record+".hex")
		}
		if want := hexFile(t, path); !bytes.Equal(got, want) {
			t.Errorf("%s explains\n%x\nthe golden file has\n%x", name, got, want)
		}
	}
}

// TestSpecificationNamesEverything finds an op, a code or a cause that
// docs/protocol.md does not have under its number.
func TestSpecificationNamesEverything(t *testing.T) {
	b, err := os.ReadFile(specification)
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	for op, name := range opNames {
		n := strconv.Itoa(int(op))
		if !strings.Contains(text, name+"`** (op "+n) && !strings.Contains(text, "`"+name+"` ("+n+")") {
			t.Errorf("%s (%s) is missing", name, n)
		}
	}
	for code, name := range codeNames {
		if !strings.Contains(text, "| "+strconv.Itoa(int(code))+" | "+name+" |") {
			t.Errorf("code %d, %s, is missing", code, name)
		}
	}
	for cause, name := range causeNames {
		if !strings.Contains(text, "| "+strconv.Itoa(int(cause))+" | "+name+" |") {
			t.Errorf("cause %d, %s, is missing", cause, name)
		}
	}
}

// TestSpecificationNamesEveryKind finds a kind of a reason, or of an event of a
// message, that docs/protocol.md does not name.
func TestSpecificationNamesEveryKind(t *testing.T) {
	text, err := os.ReadFile(specification)
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("explain.go")
	if err != nil {
		t.Fatal(err)
	}
	kinds := regexp.MustCompile(`(?m)^\t(?:Explain|Trace)\w+ += ("\w+")`).FindAllSubmatch(source, -1)
	if len(kinds) < 40 {
		t.Fatalf("%d kinds found", len(kinds))
	}
	for _, k := range kinds {
		if !bytes.Contains(text, k[1]) {
			t.Errorf("%s is missing", k[1])
		}
	}
}

// tableRows counts the fields in the table below a struct's name.
func tableRows(text, name string) int {
	_, after, found := strings.Cut(text, "**`"+name+"`**")
	if !found {
		return 0
	}
	rows := 0
	for line := range strings.Lines(after) {
		if strings.HasPrefix(line, "| "+strconv.Itoa(rows)+" | ") {
			rows++
		} else if rows > 0 {
			break
		}
	}
	return rows
}

// TestSpecificationHasEveryField compares the tables of the bodies with the
// arrays that are sent.
func TestSpecificationHasEveryField(t *testing.T) {
	b, err := os.ReadFile(specification)
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, s := range samples(t) {
		if s.body == nil || !strings.Contains(string(b), "**`"+s.op.String()+"`** (op") {
			continue
		}
		c := wire.NewCursor(s.payload())
		if sent, rows := c.ArrayLen(99), tableRows(string(b), s.op.String()); sent != rows {
			t.Errorf("%s has %d fields, its table %d", s.op, sent, rows)
		}
		checked++
	}
	for name, sent := range map[string][]byte{
		"OpHeader": OpHeader{}.AppendTo(nil), "SettleItem": SettleItem{}.AppendTo(nil), "Result": new(Result).AppendTo(nil),
		"Delivery": (&Delivery{Request: true}).AppendTo(nil), "GroupInfo": GroupInfo{}.AppendTo(nil), "NodeInfo": NodeInfo{}.AppendTo(nil),
		"QueueSettings": Marshal(QueueSettings{}),
	} {
		c := wire.NewCursor(sent)
		if n, rows := c.ArrayLen(99), tableRows(string(b), name); n != rows {
			t.Errorf("%s has %d fields, its table %d", name, n, rows)
		}
	}
	if checked < 18 {
		t.Errorf("only %d bodies have a table", checked)
	}
}
