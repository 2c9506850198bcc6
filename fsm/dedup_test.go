package fsm

import (
	"fmt"
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

// TestIDsAreForgottenInBatches: a window forgets no more ids in an entry than it
// affords, and a replica that comes from a snapshot meanwhile does what else is
// due in the same order.
func TestIDsAreForgottenInBatches(t *testing.T) {
	const batches = 2*dueMax/MaxItems + 2
	d := newDriver(t)
	d.ok(&QueueCreate{OpHeader: d.op(), Queue: "q", Settings: Settings{DedupMillis: MinDedupMillis, DedupCapacity: batches * MaxItems}})
	d.ok(&QueueCreate{OpHeader: d.op(), Queue: "retries"})
	d.ok(&Consume{OpHeader: d.op(), Queue: "retries", Consumer: 1})
	e := d.ok(&Publish{OpHeader: d.op(), Queue: "retries", Count: 1, Records: testRecords(1, 4)}).Effects[0]
	for i := range batches {
		d.lease = int64(i)
		var records []byte
		for k := range MaxItems {
			records = append(records, recordsOfKind(1, 4, record.Message{DedupID: fmt.Sprint(i, "-", k)})...)
		}
		d.ok(&Publish{OpHeader: d.op(), Queue: "q", Count: MaxItems, Records: records})
	}
	// The retry is due after the first ids, and before those that the first entry leaves.
	d.ok(&Settle{OpHeader: d.op(), Items: []SettleItem{{Incarnation: e.Incarnation, Place: e.Place, Token: e.Token,
		Action: ActionNack, Reason: ReasonMessage, DelayMillis: MinDedupMillis + dueMax/MaxItems - batches}}})
	d.lease = 2 * MinDedupMillis
	replicas, entries := []*State{d.s}, 0
	for ; d.due(); entries++ {
		replicas = append(replicas, copyOf(t, d.s))
		for i, s := range replicas {
			if _, err := s.Apply(s.Index()+1, entryOf(Clock{WallMillis: d.lease, LeaseMillis: d.lease})); err != nil {
				t.Fatal(err)
			}
			if err := s.Check(); err != nil {
				t.Fatal(err)
			}
			if s.Hash() != d.s.Hash() {
				t.Fatalf("replica %d goes on differently after entry %d", i, s.Index())
			}
		}
	}
	if entries != 3 || d.s.queueNamed("q").window != nil {
		t.Errorf("%d entries, window %v", entries, d.s.queueNamed("q").window)
	}
}
