package fsm

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/ferrymq/ferrymq/fsm/record"
	"github.com/ferrymq/ferrymq/transport/wire"
)

// planned is a state with full queues of all kinds, and messages for it.
type planned struct {
	*driver
	rng *rand.Rand
}

// records makes up to n messages of small sizes, subjects and ids.
func (p *planned) records(n int) (count uint32, b []byte) {
	count = uint32(p.rng.IntN(n) + 1)
	for range count {
		m := record.Message{Body: make([]byte, p.rng.IntN(12)), Subject: []string{"", "a", "b", "a.b"}[p.rng.IntN(4)],
			GroupKey: []string{"", "", "", "g", "h"}[p.rng.IntN(5)], Tenant: []string{"", "", "", "t", "u"}[p.rng.IntN(5)]}
		if p.rng.IntN(2) == 0 {
			m.DedupID = fmt.Sprint(p.rng.IntN(9))
			m.Body = make([]byte, 5)
		}
		r, err := record.Append(nil, &m)
		if err != nil {
			panic(err)
		}
		b = wire.AppendBytes(b, r)
	}
	return count, b
}

func (p *planned) settings() Settings {
	return Settings{MaxMessages: p.rng.Uint64N(12), MaxBytes: p.rng.Uint64N(3) * 30, DLQMessages: p.rng.Uint64N(3) * 6,
		DLQBytes: p.rng.Uint64N(3) * 40, Overflow: Overflow(p.rng.IntN(3)), Retry: RetryImmediate, Fair: p.rng.IntN(2) == 0}
}

func newPlanned(t *testing.T, seed uint64) *planned {
	p := &planned{driver: newDriver(t), rng: rand.New(rand.NewPCG(seed, 1))}
	p.s.bounds.Room, p.s.bounds.Tenants, p.s.bounds.Groups = p.rng.IntN(4), 1+p.rng.IntN(2), 2+p.rng.IntN(3)
	q := p.settings()
	q.DedupMillis, q.DedupCapacity = 1000, uint32(1+p.rng.IntN(8))
	p.ok(&QueueCreate{OpHeader: p.op(), Queue: "q", Settings: q})
	p.ok(&QueueCreate{OpHeader: p.op(), Queue: "r", Settings: p.settings()})
	p.ok(&TopicCreate{OpHeader: p.op(), Topic: "t", Settings: TopicSettings{DedupMillis: 1000, DedupCapacity: q.DedupCapacity}})
	for i, filter := range []string{">", "a.>", "*", "a"} {
		set := p.settings()
		required := p.rng.IntN(3) == 0 && set.Overflow != OverflowDropNew
		p.ok(&Subscribe{OpHeader: p.op(), Topic: "t", Queue: fmt.Sprint("s", i), Filter: filter, Required: required, Settings: set})
	}
	names := []string{"q", "r", "s0", "s1", "s2", "s3"}
	for i, name := range names {
		p.ok(&Consume{OpHeader: p.op(), Queue: name, Consumer: uint32(i), CreditMessages: 3})
	}
	for range p.rng.IntN(6) {
		count, records := p.records(8)
		p.do(&Publish{OpHeader: p.op(), Queue: []string{"q", "r", "t"}[p.rng.IntN(3)], Count: count, Records: records})
	}
	for _, name := range []string{"q", "r", "s0"} { // less than they have
		if have := p.queue(name); p.rng.IntN(2) == 0 {
			s := have.Settings
			s.MaxMessages, s.MaxBytes = 1+p.rng.Uint64N(have.Ready+1), 0
			p.ok(&QueueUpdate{OpHeader: p.op(), Queue: name, Settings: s})
		}
	}
	for i := range names {
		if p.rng.IntN(2) == 0 {
			p.do(&Cancel{OpHeader: p.op(), Consumer: uint32(i), Return: p.rng.IntN(2) == 0})
		}
	}
	return p
}

// held are acks for some of what the consumers hold.
func (p *planned) held() (items []SettleItem) {
	p.s.queues.Scan(func(incarnation uint64, q *queue) bool {
		q.leased.Scan(func(place uint64, l lease) bool {
			if p.rng.IntN(2) == 0 {
				items = append(items, SettleItem{Incarnation: incarnation, Place: place, Token: l.token, Action: ActionAck})
			}
			return true
		})
		return true
	})
	return items
}

// looks is what can be seen of queues and topics.
func looks(s *State) any {
	queues, _ := s.Queues("", "", 100)
	topics, _ := s.Topics("", "", 100)
	return []any{queues, topics}
}

// missed is how much all subscriptions have.
func missed(s *State) (n uint64) {
	queues, _ := s.Queues("", "", 100)
	for i := range queues {
		n += queues[i].Missed
	}
	return n
}

// What is planned for an operation that is all or nothing is what happens to
// its parts one by one. Only lines that end because their messages are dropped
// count as there in the plan, and what is refused for want of room drops some.
func TestPlanAgreesWithOneByOne(t *testing.T) {
	taken, causes := map[bool]int{}, map[Cause]int{}
	for seed := range uint64(400) {
		p := newPlanned(t, seed)
		c := Commit{OpHeader: p.op(), Settles: p.held()}
		for range 1 + p.rng.IntN(3) {
			count, records := p.records(5)
			c.Publishes = append(c.Publishes, CommitPublish{Queue: []string{"q", "r", "t"}[p.rng.IntN(3)], Count: count, Records: records})
		}

		// In one entry, like the commit, so that nothing is handed out between.
		var parts []Command
		h := c.OpHeader
		if len(c.Settles) > 0 {
			parts = append(parts, &Settle{OpHeader: h, Items: c.Settles})
			h.Number++
		}
		for _, x := range c.Publishes {
			parts = append(parts, &Publish{OpHeader: h, Queue: x.Queue, Count: x.Count, Records: x.Records})
			h.Number++
		}
		single := copyOf(t, p.s)
		a, err := single.Apply(single.Index()+1, entryOf(Clock{}, parts...))
		if err != nil {
			t.Fatal(err)
		}
		all := true
		for i := range a.Results {
			all = all && a.Results[i].accepted()
		}

		before := looks(p.s)
		r := p.do(&c).Results[0]
		got := looks(p.s)
		causes[r.Cause]++
		switch {
		case all && (r.Cause == CauseTenants || r.Cause == CauseGroups):
			continue
		case r.accepted() != all:
			t.Fatalf("seed %d: %+v, one by one %+v", seed, r, a.Results)
		case all && missed(p.s) > missed(single) && (p.s.bounds.Tenants < MaxTenants || p.s.bounds.Groups < MaxGroups):
			continue // a subscription, for the same cause: see TestMissedAsPlanned
		case all && !reflect.DeepEqual(got, looks(single)):
			t.Fatalf("seed %d: %+v, one by one %+v", seed, got, looks(single))
		case !all && r.Cause != CauseRoom && !reflect.DeepEqual(got, before):
			t.Fatalf("seed %d: refused %+v", seed, r)
		}
		taken[all]++
	}
	if taken[true] < 100 || taken[false] < 100 {
		t.Fatalf("too much of one kind: %v", taken)
	}
	for _, c := range []Cause{CauseMessages, CauseBytes, CauseTenants, CauseGroups, CauseRoom} {
		if causes[c] == 0 {
			t.Errorf("cause %d is in none: %v", c, causes)
		}
	}
}

// A subscription misses what the plan had it miss, though the lines that the
// plan's drops ended are gone by then: else the last message of this transaction
// would have no room, and the others were there.
func TestMissedAsPlanned(t *testing.T) {
	d := newDriver(t)
	d.s.bounds.Groups = 1
	d.ok(&TopicCreate{OpHeader: d.op(), Topic: "t"})
	d.ok(&Subscribe{OpHeader: d.op(), Topic: "t", Queue: "q", Filter: ">",
		Settings: Settings{MaxMessages: 1, DLQMessages: 2, Overflow: OverflowDropOldest}})
	one := func(group string) []byte { return recordsOfKind(1, 4, record.Message{GroupKey: group}) }
	d.ok(&Publish{OpHeader: d.op(), Queue: "q", Count: 1, Records: one("a")})
	r := d.do(&Commit{OpHeader: d.op(), Publishes: []CommitPublish{
		{Queue: "t", Count: 1, Records: one("")},
		{Queue: "t", Count: 1, Records: one("b")},
		{Queue: "q", Count: 1, Records: one("")},
	}}).Results[0]
	if r.Code != OK || len(r.Items) != 0 {
		t.Errorf("%+v", r)
	}
	if q, dead := d.queue("q"), d.queue("q.dlq"); q.Ready != 1 || q.Missed != 1 || dead.Ready != 2 {
		t.Errorf("%+v, %+v", q, dead)
	}
	if all := d.s.Missers(); len(all) != 1 || all[0].Why != "has too many message groups" {
		t.Errorf("%+v", all)
	}
}
