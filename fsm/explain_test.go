package fsm

import (
	"fmt"
	"testing"
)

// Of a topic whose required subscriptions are full, by messages or by bytes, now
// or of what they drop, and of a subscription that missed something, the largest
// message is told that they take: each that is not larger is taken, and no other.
func TestExplainTellsWhatIsTaken(t *testing.T) {
	told := map[string]int{}
	for seed := range uint64(2000) {
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
		if p.s.takes(q, uint32(size)).Code == OK {
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
