package fsm

import (
	"fmt"
	"testing"

	"github.com/ferrymq/ferrymq/fsm/record"
)

// TestTokenOfWhatWaits: a token of another message settles nothing of one that
// was not handed out yet, and is told so in whatever line that is.
func TestTokenOfWhatWaits(t *testing.T) {
	const groups = 300
	d := newDriver(t)
	d.ok(&QueueCreate{OpHeader: d.op(), Queue: "q"})
	var records []byte
	for i := range groups {
		records = append(records, recordsOfKind(1, 4, record.Message{GroupKey: fmt.Sprint("g", i)})...)
	}
	d.ok(&Publish{OpHeader: d.op(), Queue: "q", Count: groups, Records: records})
	e := d.ok(&Consume{OpHeader: d.op(), Queue: "q", Consumer: 1, CreditMessages: 1}).Effects[0]
	var items []SettleItem
	for i := range uint64(groups) - 1 {
		items = append(items, SettleItem{Incarnation: e.Incarnation, Place: i + 2, Token: e.Token, Action: ActionAck})
	}
	for i, v := range d.do(&Settle{OpHeader: d.op(), Items: items}).Results[0].Items {
		if v.Code != LeaseLost || v.Cause != CauseUnknownToken {
			t.Fatalf("place %d: %+v", i+2, v)
		}
	}
}
