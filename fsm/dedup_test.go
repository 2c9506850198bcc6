package fsm

import (
	"testing"

	"github.com/ferrymq/ferrymq/fsm/record"
)

// The content of a message, by which a repeat of its id is told from another
// message, is its headers and its body: what it says besides is not.
func TestContentIsHeadersAndBody(t *testing.T) {
	d := newDriver(t)
	d.ok(&QueueCreate{OpHeader: d.op(), Queue: "q", Settings: Settings{DedupMillis: MaxDedupMillis, DedupCapacity: 9}})
	header := func(value string) []record.Header { return []record.Header{{Key: "h", Value: value}} }
	high := uint8(9)
	for _, c := range []struct {
		of   string
		m    record.Message
		size int
		want Code
	}{
		{"the first", record.Message{Headers: header("one")}, 9, OK},
		{"the same", record.Message{Headers: header("one")}, 9, Duplicate},
		{"another header", record.Message{Headers: header("two")}, 9, Conflict},
		{"no header", record.Message{}, 9, Conflict},
		{"another body", record.Message{Headers: header("one")}, 8, Conflict},
		{"another priority and group", record.Message{Headers: header("one"), Priority: &high, GroupKey: "g"}, 9, Duplicate},
	} {
		c.m.DedupID = "id"
		r := d.do(&Publish{OpHeader: d.op(), Queue: "q", Count: 1, Records: recordsOfKind(1, c.size, c.m)}).Results[0]
		got := r.Code
		if len(r.Items) > 0 {
			got = r.Items[0].Code
		}
		if got != c.want {
			t.Errorf("%s: %d, want %d", c.of, got, c.want)
		}
	}
}
