package fsm

import (
	"math/rand/v2"
	"testing"

	"github.com/ferrymq/ferrymq/fsm/record"
	"github.com/ferrymq/ferrymq/transport/wire"
)

func recordsOfSizes(sizes []int) (b []byte) {
	for _, n := range sizes {
		r, err := record.Append(nil, &record.Message{Body: make([]byte, n)})
		if err != nil {
			panic(err)
		}
		b = wire.AppendBytes(b, r)
	}
	return b
}

// What is planned for an operation that is all or nothing is what happens to
// its messages one by one.
func TestPlanAgreesWithOneByOne(t *testing.T) {
	taken := map[bool]int{}
	for seed := range uint64(400) {
		rng := rand.New(rand.NewPCG(seed, 1))
		sizes := func(n int) (all []int) {
			for range rng.IntN(n) + 1 {
				all = append(all, rng.IntN(12))
			}
			return all
		}
		d := newDriver(t)
		d.ok(&QueueCreate{OpHeader: d.op(), Queue: "q", Settings: Settings{MaxMessages: rng.Uint64N(12), MaxBytes: rng.Uint64N(3) * 30,
			DLQMessages: rng.Uint64N(3) * 6, DLQBytes: rng.Uint64N(3) * 40, Overflow: Overflow(rng.IntN(3))}})
		d.ok(&Consume{OpHeader: d.op(), Queue: "q", Consumer: 1, CreditMessages: 3})
		for range rng.IntN(3) {
			all := sizes(8)
			d.do(&Publish{OpHeader: d.op(), Queue: "q", Count: uint32(len(all)), Records: recordsOfSizes(all)})
		}
		d.do(&Cancel{OpHeader: d.op(), Consumer: 1, Return: rng.IntN(2) == 0})

		all := sizes(8)
		p := Publish{OpHeader: d.op(), Queue: "q", Count: uint32(len(all)), Records: recordsOfSizes(all)}
		single := copyOf(t, d.s)
		if _, err := single.Apply(single.Index()+1, entryOf(Clock{}, &p)); err != nil {
			t.Fatal(err)
		}
		alone, _ := single.Queue("q")
		x := single.sessions
		_, session, _ := x.Max()
		kept := session.keptAt(p.Number).result()

		before := d.queue("q")
		p.Ordered = true
		r := d.do(&p).Results[0]
		switch got := d.queue("q"); {
		case r.accepted() != kept.accepted():
			t.Fatalf("seed %d: %+v, one by one %+v", seed, r, kept)
		case r.accepted() && got != alone:
			t.Fatalf("seed %d: %+v, one by one %+v", seed, got, alone)
		case !r.accepted() && got != before:
			t.Fatalf("seed %d: refused, and %+v became %+v", seed, before, got)
		}
		taken[r.accepted()]++
	}
	if taken[true] < 50 || taken[false] < 50 {
		t.Fatalf("too much of one kind: %v", taken)
	}
}
