//go:build invariants

package fsm

import (
	"errors"
	"strings"
	"testing"
)

// What one command breaks is found there, though a later one of the entry would
// hide it; and what only the end of an entry does is not asked for before.
func TestInvariantsAfterEveryCommand(t *testing.T) {
	d := newDriver(t)
	d.ok(&QueueCreate{OpHeader: d.op(), Queue: "q"})
	d.ok(&Consume{OpHeader: d.op(), Queue: "q", Consumer: 1, CreditMessages: 1})
	if a := d.do(&Publish{OpHeader: d.op(), Queue: "q", Count: 1, Records: testRecords(1, 4)}, &Checkpoint{}); len(a.Effects) != 1 {
		t.Fatalf("%d effects", len(a.Effects))
	}
	d.s.queueNamed("q").places--
	_, err := d.s.Apply(d.s.Index()+1, entryOf(Clock{}, &Checkpoint{}, &QueueDelete{OpHeader: d.op(), Queue: "q"}))
	if !errors.Is(err, ErrBroken) || errors.Is(err, ErrEntry) || !strings.Contains(err.Error(), "after 1 commands") {
		t.Errorf("%v", err)
	}
}
