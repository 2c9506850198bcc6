package fsm

import (
	"fmt"
	"testing"

	"github.com/ferrymq/ferrymq/fsm/record"
)

// driver applies commands of one session, each entry at a lease time.
type driver struct {
	t      testing.TB
	s      *State
	id     SessionID
	number uint64
	lease  int64
}

func newDriver(t testing.TB) *driver {
	d := &driver{t: t, s: New(1), id: sessionID("d")}
	d.do(&Open{Session: d.id}, &Attach{Session: d.id, Epoch: 1, Node: "n"})
	return d
}

func (d *driver) op() OpHeader {
	d.number++
	return OpHeader{Session: d.id, Epoch: 1, Number: d.number, AnsweredThrough: d.number - 1}
}

func (d *driver) do(commands ...Command) Applied {
	d.t.Helper()
	a, err := d.s.Apply(d.s.Index()+1, entryOf(Clock{WallMillis: d.lease, LeaseMillis: d.lease}, commands...))
	if err == nil {
		err = d.s.Check()
	}
	if err != nil {
		d.t.Fatal(err)
	}
	return a
}

// ok does one command that must succeed.
func (d *driver) ok(c Command) Applied {
	d.t.Helper()
	a := d.do(c)
	if a.Results[0].Code != OK || a.Results[0].Items != nil {
		d.t.Fatalf("%T: %+v", c, a.Results[0])
	}
	return a
}

func (d *driver) publish(queue string, count int) {
	d.t.Helper()
	for ; count > 0; count -= MaxItems {
		n := min(count, MaxItems)
		d.ok(&Publish{OpHeader: d.op(), Queue: queue, Count: uint32(n), Records: testRecords(n, 4)})
	}
}

func (d *driver) queue(name string) QueueInfo {
	d.t.Helper()
	q, ok := d.s.Queue(name)
	if !ok {
		d.t.Fatal("no queue", name)
	}
	return q
}

// due tells whether the state wants an entry now.
func (d *driver) due() bool {
	at, _ := d.s.NextDeadline()
	return at.LeaseMillis != 0 && at.LeaseMillis <= d.lease || at.WallMillis != 0 && at.WallMillis <= d.lease
}

// rounds proposes ticks while one is due, and returns how many it took.
func (d *driver) rounds(most int) (n int) {
	d.t.Helper()
	for ; ; n++ {
		if !d.due() {
			return n
		}
		if n == most {
			d.t.Fatalf("still due after %d ticks", n)
		}
		d.do()
	}
}

// Leases that are looked at and not over are booked, too: a consumer extended them.
func TestLooksAtLeasesAreBooked(t *testing.T) {
	const each = 2 * looksForOne
	d := newDriver(t)
	d.ok(&QueueCreate{OpHeader: d.op(), Queue: "q", Settings: Settings{LeaseMillis: 1000}})
	for i := range 3 {
		d.ok(&Consume{OpHeader: d.op(), Queue: "q", Consumer: uint32(i + 1), CreditMessages: each})
	}
	var all []SettleItem
	for _, e := range d.ok(&Publish{OpHeader: d.op(), Queue: "q", Count: 3 * each, Records: testRecords(3*each, 4)}).Effects {
		all = append(all, SettleItem{Incarnation: e.Incarnation, Place: e.Place, Token: e.Token, Action: ActionExtend})
	}
	d.lease = 900
	d.ok(&Settle{OpHeader: d.op(), Items: all})
	d.lease = 1000
	d.s.bounds.Due = 2
	if n := d.rounds(10); n != 3 {
		t.Errorf("%d entries looked at the leases of three consumers", n)
	}
	if n := d.queue("q").Leased; n != 3*each {
		t.Errorf("%d are leased", n)
	}
}

// Leases of several consumers run out together: in batches of whole consumers,
// and nothing that is due is handed out again before.
func TestManyLeasesRunOutInBatches(t *testing.T) {
	d := newDriver(t)
	d.ok(&QueueCreate{OpHeader: d.op(), Queue: "q", Settings: Settings{LeaseMillis: 1000, Retry: RetryImmediate}})
	for i := range 3 {
		d.ok(&Consume{OpHeader: d.op(), Queue: "q", Consumer: uint32(i + 1), CreditMessages: 3000, Concurrency: 3000})
	}
	d.publish("q", 9000)
	d.ok(&QueuePause{OpHeader: d.op(), Queue: "q", Paused: true})
	d.lease = 1000
	for i := range 3 {
		d.do()
		if q := d.queue("q"); q.Leased != uint64(6000-3000*i) {
			t.Fatalf("tick %d: %d leased", i, q.Leased)
		}
		if at, ok := d.s.NextDeadline(); ok != (i < 2) || d.due() != ok {
			t.Fatalf("tick %d: next %d %v", i, at, ok)
		}
	}
	blamed := 0
	d.s.Messages("q", func(m MessageInfo) bool {
		if m.Failures == 1 {
			blamed++
		}
		return true
	})
	if blamed != 9000 {
		t.Fatalf("%d blamed", blamed)
	}
}

// A session's grace ends, and a session is given up, consumer by consumer.
func TestSessionsEndInBatches(t *testing.T) {
	for _, given := range []bool{false, true} {
		t.Run(fmt.Sprintf("given up %v", given), func(t *testing.T) {
			d := newDriver(t)
			d.ok(&QueueCreate{OpHeader: d.op(), Queue: "q", Settings: Settings{Retry: RetryImmediate}})
			for i := range 4 {
				d.ok(&Consume{OpHeader: d.op(), Queue: "q", Consumer: uint32(i + 1), CreditMessages: 2000, Concurrency: 1})
			}
			d.publish("q", 8000)
			if given {
				d.ok(&End{Session: d.id, Epoch: 1})
			} else {
				d.ok(&Detach{Session: d.id, Epoch: 1, Node: "n", Cause: DetachConnection})
				d.lease = GraceConnectionMillis
				d.do()
			}
			left := d.queue("q").Leased
			if left == 0 || left == 8000 {
				t.Fatalf("%d leased after one entry", left)
			}
			d.rounds(4)
			if q := d.queue("q"); q.Leased != 0 || q.Ready != 8000 || given != (q.Consumers == 0) {
				t.Fatalf("%+v", q)
			}
			failures := map[uint32]int{}
			d.s.Messages("q", func(m MessageInfo) bool {
				failures[m.Failures]++
				return true
			})
			if want := map[bool]int{false: 4, true: 0}[given]; failures[1] != want {
				t.Fatalf("%d blamed, want %d", failures[1], want)
			}
			if given && d.s.Sessions().Sessions != 0 {
				t.Fatal("the session is still there")
			}
		})
	}
}

// TestBoundSubscriptionsEndInBatches: those of a session that ends go oldest
// first, so many in an entry; a snapshot in between holds what is left. What was
// deleted before is not counted, and others stay.
func TestBoundSubscriptionsEndInBatches(t *testing.T) {
	const more = 100
	d := newDriver(t)
	d.ok(&TopicCreate{OpHeader: d.op(), Topic: "t"})
	subscribe := func(name string, session bool) Command {
		return &Subscribe{OpHeader: d.op(), Topic: "t", Queue: name, Filter: ">", Session: session}
	}
	name := func(i int) string { return fmt.Sprintf("s%04d", i) }
	d.ok(subscribe("stays", false))
	d.many(dueMax+more, func(i int) Command { return subscribe(name(i), true) })
	d.ok(&QueueDelete{OpHeader: d.op(), Queue: name(3)})
	d.ok(&QueueDelete{OpHeader: d.op(), Queue: name(dueMax + 7)})
	d.ok(&End{Session: d.id, Epoch: 1})
	left, _, _ := d.s.Subscriptions("t", 0, MaxSubscriptions)
	if len(left) != 1+more-2 || left[0].Name != "stays" || left[1].Name != name(dueMax+1) || left[more-2].Name != name(dueMax+more-1) {
		t.Fatalf("%d left after one entry, from %q", len(left), left[1].Name)
	}
	restored := copyOf(t, d.s)
	for _, s := range []*State{d.s, restored} {
		d.s = s
		d.do()
		if left, _, _ = d.s.Subscriptions("t", 0, MaxSubscriptions); len(left) != 1 || d.s.Sessions().Sessions != 0 || len(d.s.bound) != 0 {
			t.Fatalf("%d left after two, %d sessions", len(left), d.s.Sessions().Sessions)
		}
	}
}

// Attached again in the middle of the end of its grace, a session keeps what
// was not ended yet.
func TestAttachStopsTheEndOfGrace(t *testing.T) {
	d := newDriver(t)
	d.ok(&QueueCreate{OpHeader: d.op(), Queue: "q"})
	for i := range 3 {
		d.ok(&Consume{OpHeader: d.op(), Queue: "q", Consumer: uint32(i + 1), CreditMessages: 4000})
	}
	d.publish("q", 12000)
	d.ok(&QueuePause{OpHeader: d.op(), Queue: "q", Paused: true})
	d.ok(&Detach{Session: d.id, Epoch: 1, Node: "n", Cause: DetachConnection})
	d.lease = GraceConnectionMillis
	d.do()
	if q := d.queue("q"); q.Leased != 8000 {
		t.Fatalf("%d leased", q.Leased)
	}
	a := d.ok(&Attach{Session: d.id, Epoch: 1, Node: "n"})
	if len(a.Effects) != 8000 || d.queue("q").Leased != 8000 {
		t.Fatalf("%d delivered again, %d leased", len(a.Effects), d.queue("q").Leased)
	}
	if n := d.rounds(1); n != 0 {
		t.Fatal("something is due still")
	}
}

// Parked messages move to their dead-letter queue in batches.
func TestParkedMoveInBatches(t *testing.T) {
	const n = moveMax + 904
	d := newDriver(t)
	d.ok(&QueueCreate{OpHeader: d.op(), Queue: "q", Settings: Settings{DLQMessages: 1}})
	d.ok(&Consume{OpHeader: d.op(), Queue: "q", Consumer: 1, CreditMessages: 1000})
	for range n / 1000 {
		records := testRecords(1000, 4)
		a := d.ok(&Publish{OpHeader: d.op(), Queue: "q", Count: 1000, Records: records})
		var items []SettleItem
		for _, e := range a.Effects {
			items = append(items, SettleItem{Incarnation: e.Incarnation, Place: e.Place, Token: e.Token, Action: ActionReject})
		}
		d.ok(&Settle{OpHeader: d.op(), Items: items})
	}
	if q := d.queue("q"); q.Parked != 4999 {
		t.Fatalf("%d parked", q.Parked)
	}
	d.ok(&QueueUpdate{OpHeader: d.op(), Queue: "q"})
	if q := d.queue("q"); q.Parked != 4999-moveMax {
		t.Fatalf("%d parked", q.Parked)
	}
	d.rounds(1)
	if q, dead := d.queue("q"), d.queue("q.dlq"); q.Parked != 0 || dead.Ready != 5000 || q.Bytes != 0 {
		t.Fatalf("%+v\n%+v", q, dead)
	}
}

// What a dead group leaves follows its head in batches, and asks for the entries.
func TestDeadGroupMovesInBatches(t *testing.T) {
	d := newDriver(t)
	d.ok(&QueueCreate{OpHeader: d.op(), Queue: "q", Settings: Settings{GroupFailure: GroupDead}})
	records := recordsOfKind(1000, 4, record.Message{GroupKey: "g"})
	for range 5 {
		d.ok(&Publish{OpHeader: d.op(), Queue: "q", Count: 1000, Records: records})
	}
	a := d.ok(&Consume{OpHeader: d.op(), Queue: "q", Consumer: 1, CreditMessages: 1})
	e := a.Effects[0]
	d.ok(&Settle{OpHeader: d.op(), Items: []SettleItem{
		{Incarnation: e.Incarnation, Place: e.Place, Token: e.Token, Action: ActionReject}}})
	if q := d.queue("q"); q.Ready != 4999-moveMax {
		t.Fatalf("%d ready", q.Ready)
	}
	d.rounds(1)
	if q, dead := d.queue("q"), d.queue("q.dlq"); q.Ready != 0 || dead.Ready != 5000 || q.Groups != 0 {
		t.Fatalf("%+v\n%+v", q, dead)
	}
}

// A deleted queue's messages go in batches, leased ones too.
func TestDeletedQueueIsReclaimed(t *testing.T) {
	d := newDriver(t)
	d.ok(&QueueCreate{OpHeader: d.op(), Queue: "q"})
	d.ok(&Consume{OpHeader: d.op(), Queue: "q", Consumer: 1, CreditMessages: 3000})
	d.publish("q", 10000)
	a := d.ok(&QueueDelete{OpHeader: d.op(), Queue: "q"})
	if len(a.Effects) != 1 || a.Effects[0].Kind != EffectClosed || d.s.MessageCount() != 10000-reclaimMax {
		t.Fatalf("%d effects, %d bodies", len(a.Effects), d.s.MessageCount())
	}
	d.do(&QueueCreate{OpHeader: d.op(), Queue: "q"})
	d.rounds(2)
	if d.s.MessageCount() != 0 || d.s.Bytes() != 0 || d.s.HeldBytes() != 0 {
		t.Fatalf("%d bodies, %d bytes, %d held", d.s.MessageCount(), d.s.Bytes(), d.s.HeldBytes())
	}
}

// Counts that only many commands reach.
func TestCountsAreLimited(t *testing.T) {
	d := newDriver(t)
	d.ok(&QueueCreate{OpHeader: d.op(), Queue: "q"})
	for i := range MaxConsumersPerSession {
		d.do(&Consume{OpHeader: d.op(), Queue: "q", Consumer: uint32(i), CreditMessages: 1})
	}
	busy := func(c Command) {
		t.Helper()
		if r := d.do(c).Results[0]; r.Code != Busy || r.Cause != CauseSessions || r.RetryAfterMillis == 0 {
			t.Fatalf("%T: %+v", c, r)
		}
	}
	busy(&Consume{OpHeader: d.op(), Queue: "q", Consumer: MaxConsumersPerSession})
	d.ok(&Cancel{OpHeader: d.op(), Consumer: 7})
	d.ok(&Consume{OpHeader: d.op(), Queue: "q", Consumer: 7, CreditMessages: 1})

	// The sum of a session's credit bounds what an attach delivers again.
	for i := range MaxConsumersPerSession {
		d.do(&Cancel{OpHeader: d.op(), Consumer: uint32(i)})
	}
	for i := range MaxSessionCredit / MaxCreditMessages {
		d.ok(&Consume{OpHeader: d.op(), Queue: "q", Consumer: uint32(i), CreditMessages: MaxCreditMessages})
	}
	busy(&Consume{OpHeader: d.op(), Queue: "q", Consumer: 99, CreditMessages: 1})

	var opens []Command
	for i := range MaxSessions {
		opens = append(opens, &Open{Session: sessionID(fmt.Sprint(i))})
	}
	results := d.do(opens...).Results
	if last := results[len(results)-1]; last.Code != Busy || results[len(results)-2].Code != OK {
		t.Fatalf("%+v", last)
	}
	var creates []Command
	for i := range MaxQueues / 2 {
		creates = append(creates, &QueueCreate{OpHeader: d.op(), Queue: fmt.Sprintf("q%d", i)})
	}
	results = d.do(creates...).Results
	if last := results[len(results)-1]; last.Code != Busy || results[len(results)-2].Code != OK {
		t.Fatalf("%+v", last)
	}
	page, more := d.s.Queues("q1", "q10", 3)
	if len(page) != 3 || !more || page[0].Name != "q10.dlq" || page[2].Name != "q100.dlq" {
		t.Fatalf("%v %v", page, more)
	}
	if page, more = d.s.Queues("", "q9", MaxQueues); more || page[0].Name != "q9.dlq" {
		t.Fatalf("%d queues, first %q", len(page), page[0].Name)
	}
}
