package fsm

import (
	"testing"

	"github.com/ferrymq/ferrymq/fsm/record"
)

// TestClocksNeverTurnBack: an entry of a leader whose clocks are behind is as
// late as the latest before it. What was due stays due, and what is measured
// from then on is measured from there.
func TestClocksNeverTurnBack(t *testing.T) {
	d := newDriver(t)
	apply := func(at Clock, commands ...Command) Applied {
		t.Helper()
		a, err := d.s.Apply(d.s.Index()+1, entryOf(at, commands...))
		if err == nil {
			err = d.s.Check()
		}
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	delayed := func() Command {
		return &Publish{OpHeader: d.op(), Queue: "q", Count: 1, Records: recordsOfKind(1, 4, record.Message{DelayMillis: 500})}
	}
	waiting := func(want ...int64) {
		t.Helper()
		i := 0
		d.s.Messages("q", func(m MessageInfo) bool {
			if m.State != Scheduled || i == len(want) || m.ReadyMillis != want[i] {
				t.Fatalf("%+v, want %d", m, want)
			}
			i++
			return true
		})
		if i != len(want) {
			t.Fatalf("%d messages wait, want %d", i, len(want))
		}
	}
	const now = 100_000
	apply(Clock{WallMillis: now, LeaseMillis: now}, &QueueCreate{OpHeader: d.op(), Queue: "q"}, delayed())
	waiting(now + 500)
	early := Clock{WallMillis: 7, LeaseMillis: 7}
	apply(early, delayed())
	waiting(now+500, now+500)
	if c := d.s.Clock(); c.WallMillis != now || c.LeaseMillis != now {
		t.Fatalf("%+v", c)
	}
	a := apply(early, &Consume{OpHeader: d.op(), Consumer: 1, Queue: "q", CreditMessages: 1})
	if len(a.Effects) != 0 {
		t.Fatalf("%+v", a.Effects)
	}
	a = apply(Clock{WallMillis: now + 500, LeaseMillis: 7})
	if len(a.Effects) != 1 {
		t.Fatalf("%+v", a.Effects)
	}
	if at, _ := d.s.NextDeadline(); at.LeaseMillis != now+DefaultLeaseMillis {
		t.Fatalf("%+v", at)
	}
	for _, early := range []Clock{early, {}} {
		apply(early)
		if c := d.s.Clock(); c.WallMillis != now+500 || c.LeaseMillis != now {
			t.Fatalf("%+v", c)
		}
	}
}
