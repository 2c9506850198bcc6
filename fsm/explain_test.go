package fsm

import (
	"fmt"
	"slices"
	"testing"

	"github.com/ferrymq/ferrymq/fsm/record"
)

// Of a topic whose required subscriptions are full, by messages or by bytes, now
// or of what they drop, and of a subscription that missed something, the largest
// message is told that they take: each that is not larger is taken, and no other.
func TestExplainTellsWhatIsTaken(t *testing.T) {
	told := map[string]int{}
	for seed := range uint64(400) {
		p := newPlanned(t, seed)
		for i := range 4 {
			name := fmt.Sprint("s", i)
			x, ok := p.s.Explain(name, sizes-1)
			if !ok {
				t.Fatal(name)
			}
			refusers, least, by := p.refusers()
			for _, y := range x.Reasons {
				switch {
				case y.Kind == WhyMissed:
					if takes, full := p.takes(name); y.Takes != takes || y.Full != full {
						t.Fatalf("seed %d, %s: %+v, takes %d", seed, name, y, takes)
					}
					told[fmt.Sprint("missed, full: ", y.Full)]++
				case y.Kind == WhyTopicRefuses:
					if y.Count != refusers || y.Takes != least || y.Name != by {
						t.Fatalf("seed %d: %+v, want %d, %d, %s", seed, y, refusers, least, by)
					}
					refusers = 0
					told[fmt.Sprint("refuses all: ", y.Takes < 0)]++
					told[fmt.Sprint("overflow ", p.queue(y.Name).Settings.Overflow)]++
				}
			}
			if refusers > 0 {
				t.Fatalf("seed %d: not told of %d, %d, %s", seed, refusers, least, by)
			}
		}
	}
	t.Log(told)
	if len(told) != 6 {
		t.Errorf("%v", told)
	}
}

// sizes of messages that are tried: 0 to one less.
const sizes = 100

// takes tries all sizes at a subscription.
func (p *planned) takes(name string) (largest int64, full bool) {
	q := p.s.queueNamed(name)
	largest = -1
	most := int64(-1)
	for size := range int64(sizes) {
		r := p.s.roomOf(q, amount{}, amount{})
		r.crowded = false // of the last entry
		if v, _ := p.s.judge(&r, uint32(size), &effort{}, 0); v.Code == OK {
			if largest != size-1 {
				p.t.Fatalf("%s takes %d and not %d", name, size, size-1)
			}
			largest = size
		}
		if limit := q.settings.MaxBytes; limit == 0 || uint64(size) <= limit {
			most = size
		}
	}
	return largest, largest < most
}

// refusers are the required subscriptions that refuse something, and the one
// with the least room.
func (p *planned) refusers() (n uint64, least int64, by string) {
	for i := range 4 {
		name := fmt.Sprint("s", i)
		if takes, full := p.takes(name); full && p.queue(name).Required {
			if n++; n == 1 || takes < least {
				least, by = takes, name
			}
		}
	}
	return n, least, by
}

// However many subscriptions of a topic are full, an explanation looks at so many
// messages and no more. How many subscriptions are left over is told, and those
// that need no look are told of all the same.
func TestExplainLooksAreBounded(t *testing.T) {
	for _, c := range []struct {
		group string
		seen  uint64
	}{
		{"", explainLooks / (lookBegin + roomMax + 1)},
		{"g", explainLooks / (lookBegin + lookInLines*(roomMax+1))},
	} {
		d := newDriver(t)
		d.ok(&TopicCreate{OpHeader: d.op(), Topic: "t"})
		d.ok(&Subscribe{OpHeader: d.op(), Topic: "t", Queue: "lossy", Filter: ">", Settings: Settings{MaxMessages: 1}})
		for i := range 6 {
			d.ok(&Subscribe{OpHeader: d.op(), Topic: "t", Queue: fmt.Sprint("s", i), Filter: ">", Required: true})
		}
		records := recordsOfKind(MaxItems, 4, record.Message{GroupKey: c.group})
		for range 9 {
			d.ok(&Publish{OpHeader: d.op(), Queue: "t", Count: MaxItems, Records: records})
		}
		for i := range 5 {
			d.ok(&QueueUpdate{OpHeader: d.op(), Queue: fmt.Sprint("s", i), Settings: Settings{Overflow: OverflowDropOldest, MaxBytes: 9 * 4 * MaxItems}})
		}
		d.ok(&QueueUpdate{OpHeader: d.op(), Queue: "s5", Settings: Settings{MaxBytes: 9*4*MaxItems + 3}})
		x, _ := d.s.Explain("lossy", MaxMessageBytes)
		want := []Why{
			{Kind: WhyTopicRefuses, Count: c.seen + 1, Takes: 3, Name: "s5"},
			{Kind: WhyTopicUnseen, Count: 5 - c.seen, Name: "t"},
		}
		if got := x.Reasons[max(0, len(x.Reasons)-2):]; !slices.Equal(got, want) {
			t.Errorf("group %q: %+v, want %+v", c.group, got, want)
		}
	}
}

// What a subscription that missed something takes is told of it, however much has
// to be looked at for it.
func TestExplainSeesTheFirst(t *testing.T) {
	d := newDriver(t)
	d.ok(&TopicCreate{OpHeader: d.op(), Topic: "t"})
	d.ok(&Subscribe{OpHeader: d.op(), Topic: "t", Queue: "lossy", Filter: ">", Settings: Settings{Overflow: OverflowDropNew, MaxMessages: 9 * MaxItems}})
	records := recordsOfKind(MaxItems, 4, record.Message{GroupKey: "g"})
	for range 10 {
		d.ok(&Publish{OpHeader: d.op(), Queue: "t", Count: MaxItems, Records: records})
	}
	d.ok(&QueueUpdate{OpHeader: d.op(), Queue: "lossy", Settings: Settings{Overflow: OverflowDropOldest, MaxBytes: 9 * 4 * MaxItems}})
	x, _ := d.s.Explain("lossy", MaxMessageBytes)
	want := Why{Kind: WhyMissed, Count: MaxItems, Full: true, Takes: 4 * (roomMax + 1), Name: "t"}
	if got := x.Reasons[len(x.Reasons)-1]; got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}
