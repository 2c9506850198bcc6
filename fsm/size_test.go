package fsm

import (
	"testing"

	"github.com/ferrymq/ferrymq/fsm/record"
)

// A message counts by its headers, with the lengths of their keys and values, and
// its body, and by nothing else; in each queue that has it, of a topic too.
func TestSizeIsHeadersAndBody(t *testing.T) {
	d := newDriver(t)
	d.ok(&TopicCreate{OpHeader: d.op(), Topic: "t"})
	for _, name := range []string{"a", "b"} {
		d.ok(&Subscribe{OpHeader: d.op(), Topic: "t", Queue: name, Filter: ">"})
	}
	m := record.Message{Headers: []record.Header{{Key: "key", Value: "value"}}, CorrelationID: "not counted", GroupKey: "nor this"}
	d.ok(&Publish{OpHeader: d.op(), Queue: "t", Count: 2, Records: recordsOfKind(2, 100, m)})
	const want = 2 * (1 + 3 + 1 + 5 + 100)
	for _, name := range []string{"a", "b"} {
		if got := d.s.queueNamed(name).bytes; got != want {
			t.Errorf("%s has %d bytes, want %d", name, got, want)
		}
	}
}
