package fsm

import (
	"math"
	"slices"
	"testing"

	"github.com/ferrymq/ferrymq/fsm/record"
)

// What is refused because more would have to be dropped than one entry may is
// taken after some tries, if it is taken where an entry may drop all.
func TestRoomIsMadeInTheEnd(t *testing.T) {
	refused := 0
	for seed := range uint64(300) {
		p := newPlanned(t, seed)
		p.s.bounds.Room, p.s.bounds.Tenants, p.s.bounds.Groups = 1+p.rng.IntN(2), MaxTenants, MaxGroups
		for _, name := range []string{"q", "r", "s0", "s1", "s2", "s3"} {
			q := p.queue(name).Settings
			q.Overflow, q.MaxMessages, q.MaxBytes = OverflowDropOldest, 0, 0
			p.ok(&QueueUpdate{OpHeader: p.op(), Queue: name, Settings: q})
			p.publish(name, p.rng.IntN(9))
			q.MaxMessages, q.MaxBytes, q.DLQMessages = p.rng.Uint64N(3)*3, p.rng.Uint64N(3)*20, p.rng.Uint64N(3)*10
			p.ok(&QueueUpdate{OpHeader: p.op(), Queue: name, Settings: q})
		}
		c := Commit{}
		for range 1 + p.rng.IntN(3) {
			count, records := p.records(3)
			c.Publishes = append(c.Publishes, CommitPublish{Queue: []string{"q", "r", "t"}[p.rng.IntN(3)], Count: count, Records: records})
		}
		free := copyOf(t, p.s)
		free.bounds.Room = math.MaxInt / 2
		c.OpHeader = p.op()
		a, err := free.Apply(free.Index()+1, entryOf(Clock{}, &c))
		if err != nil {
			t.Fatal(err)
		}
		r := p.do(&c).Results[0]
		for tries := 0; r.Cause == CauseRoom; tries++ {
			if tries == 20 {
				t.Fatalf("seed %d: refused for ever", seed)
			}
			if r.RetryAfterMillis != RetryRoomMillis {
				t.Fatalf("seed %d: %+v", seed, r)
			}
			refused++
			c.OpHeader = p.op()
			r = p.do(&c).Results[0]
		}
		if r.accepted() != a.Results[0].accepted() {
			t.Fatalf("seed %d: %+v, without a bound %+v", seed, r, a.Results[0])
		}
	}
	if refused < 100 {
		t.Errorf("%d refused", refused)
	}
}

// An entry drops no more than its bound, however much is in the way, and keeps
// scratch for no more; each try does.
func TestRoomOfAnEntryIsBounded(t *testing.T) {
	d := newDriver(t)
	d.ok(&QueueCreate{OpHeader: d.op(), Queue: "q"})
	d.publish("q", 3*roomMax)
	d.ok(&QueueUpdate{OpHeader: d.op(), Queue: "q", Settings: Settings{Overflow: OverflowDropOldest, MaxBytes: 4}})
	c := &Publish{Queue: "q", Count: MaxItems, Records: testRecords(MaxItems, 4)}
	for i := range 2 {
		c.OpHeader = d.op()
		d.refused(c, Result{Code: Busy, Cause: CauseRoom, RetryAfterMillis: RetryRoomMillis})
		if q, dead := d.queue("q"), d.queue("q.dlq"); dead.Ready != uint64(i+1)*roomMax || q.Ready != uint64(2-i)*roomMax {
			t.Fatalf("%+v", q)
		}
	}
	c.OpHeader = d.op() // what is left is one more than the bound, and the first message drops one for itself
	d.ok(c)
	if q := d.queue("q"); q.Ready != 1 || q.Overflowed != 3*roomMax+MaxItems-1 {
		t.Fatalf("%+v", q)
	}
}

// What is looked at in vain is bounded for a whole entry, however many messages
// ask, and nobody else has less for it: neither the queues that need little, nor
// those that may refuse.
func TestLooksInVainAreBounded(t *testing.T) {
	d := newDriver(t)
	full := Settings{Overflow: OverflowDropOldest, DLQMessages: roomMax}
	d.ok(&QueueCreate{OpHeader: d.op(), Queue: "q", Settings: full})
	d.ok(&QueueCreate{OpHeader: d.op(), Queue: "r", Settings: Settings{Overflow: OverflowDropOldest}})
	d.publish("q", 2*roomMax)
	d.publish("r", 100)
	full.MaxBytes = 8 * roomMax
	full.DLQMessages = roomMax - 1
	d.ok(&QueueUpdate{OpHeader: d.op(), Queue: "q", Settings: full})
	d.ok(&QueueUpdate{OpHeader: d.op(), Queue: "r", Settings: Settings{Overflow: OverflowDropOldest, MaxBytes: 400}})
	large := recordsOfKind(1, 4*roomMax, record.Message{})
	a := d.do(&Publish{OpHeader: d.op(), Queue: "q", Count: 30, Records: slices.Repeat(large, 30)},
		&Publish{OpHeader: d.op(), Queue: "r", Count: 1, Records: recordsOfKind(1, 4*lookFree, record.Message{})},
		&Publish{OpHeader: d.op(), Queue: "r", Count: 1, Records: recordsOfKind(1, 4*20, record.Message{})})
	looked := d.s.work.efforts[forRefusing].looked
	if looked < lookMax || looked > lookMax+roomMax {
		t.Errorf("%d looked at in vain", looked)
	}
	if first, last := a.Results[0].Items[0], a.Results[0].Items[29]; first.Cause != CauseBytes || last.Cause != CauseRoom {
		t.Errorf("%+v, %+v", first, last)
	}
	if q := d.queue("q"); q.Overflowed > roomMax {
		t.Errorf("%+v", q)
	}
	if a.Results[1].Code != OK || a.Results[2].Code != OK {
		t.Errorf("%+v", a.Results[1:])
	}
}
