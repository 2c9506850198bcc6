package fsm

import (
	"fmt"
	"slices"
	"testing"

	"github.com/ferrymq/ferrymq/fsm/record"
)

// many applies n commands, so many in an entry that a state of this size is
// not checked too often, and returns what the last one was answered.
func (d *driver) many(n int, make func(i int) Command) (last Result) {
	d.t.Helper()
	for from := 0; from < n; from += 4096 {
		var commands []Command
		for i := from; i < min(n, from+4096); i++ {
			commands = append(commands, make(i))
		}
		for _, r := range d.do(commands...).Results {
			if r.Code != OK {
				d.t.Fatalf("%+v", r)
			}
			last = r
		}
	}
	return last
}

// refused does a command that a limit forbids.
func (d *driver) refused(c Command, want Result) {
	d.t.Helper()
	r := d.do(c).Results[0]
	r.Index, r.Position = 0, 0
	if r.Code != want.Code || r.Cause != want.Cause || r.RetryAfterMillis != want.RetryAfterMillis || r.Detail != want.Detail {
		d.t.Fatalf("%T: %+v, want %+v", c, r, want)
	}
}

// counted is what a client is told that made too many of something.
var counted = Result{Code: Busy, Cause: CauseSessions, RetryAfterMillis: RetryCountMillis}

// TestMaxTopics: one topic more than there may be is refused, one that is there
// is not, and there is room again when one is gone.
func TestMaxTopics(t *testing.T) {
	d := newDriver(t)
	topic := func(i int) Command { return &TopicCreate{OpHeader: d.op(), Topic: fmt.Sprint("t", i)} }
	d.many(MaxTopics, topic)
	d.refused(topic(MaxTopics), counted)
	d.ok(topic(7))
	d.ok(&TopicDelete{OpHeader: d.op(), Topic: "t7"})
	d.ok(topic(MaxTopics))
	d.refused(topic(7), counted)
}

// TestMaxSubscriptions: the same of the subscriptions of a topic; another topic
// may have some.
func TestMaxSubscriptions(t *testing.T) {
	d := newDriver(t)
	d.ok(&TopicCreate{OpHeader: d.op(), Topic: "a"})
	d.ok(&TopicCreate{OpHeader: d.op(), Topic: "b"})
	subscribe := func(topic string, i int) Command {
		return &Subscribe{OpHeader: d.op(), Topic: topic, Queue: fmt.Sprint(topic, i), Filter: "x"}
	}
	d.many(MaxSubscriptions, func(i int) Command { return subscribe("a", i) })
	d.refused(subscribe("a", MaxSubscriptions), counted)
	d.ok(subscribe("b", 0))
	d.ok(subscribe("a", 7))
	d.ok(&QueueDelete{OpHeader: d.op(), Queue: "a7"})
	d.ok(subscribe("a", MaxSubscriptions))
	d.refused(subscribe("a", 7), counted)
}

// TestMaxFanOut: what is all or nothing and would put more messages into queues
// than it may is refused; of messages that were only sent together as many as it may
// are in all of them, and the rest is told to come again.
func TestMaxFanOut(t *testing.T) {
	const subscriptions = MaxFanOut / MaxItems
	d := newDriver(t)
	d.ok(&TopicCreate{OpHeader: d.op(), Topic: "t"})
	subscribe := func(i int) Command {
		return &Subscribe{OpHeader: d.op(), Topic: "t", Queue: fmt.Sprintf("s%03d", i), Filter: ">"}
	}
	d.many(subscriptions, subscribe)
	publish := func(n int) Command {
		return &Publish{OpHeader: d.op(), Queue: "t", Count: uint32(n), Records: testRecords(n, 4)}
	}
	if r := d.ok(publish(MaxItems)).Results[0]; r.Value != MaxFanOut {
		t.Fatalf("%d messages put into queues", r.Value)
	}
	d.ok(subscribe(subscriptions))
	const fit = MaxFanOut / (subscriptions + 1)
	if r := d.do(publish(MaxItems)).Results[0]; r.Value != fit*(subscriptions+1) || r.Items[fit-1] != (Verdict{}) ||
		r.Items[fit] != (Verdict{Code: Busy, Cause: CauseEntry, RetryAfterMillis: RetryEntryMillis}) || r.Items[MaxItems-1] != r.Items[fit] {
		t.Fatalf("%d messages put into queues, of those that are %d too many: %+v", r.Value, MaxItems-fit, r.Items[fit-1:])
	}
	tooMany := Result{Code: TooLarge, Detail: "more than 100000 messages in all subscriptions"}
	ordered := &Publish{OpHeader: d.op(), Queue: "t", Count: MaxItems, Records: testRecords(MaxItems, 4)}
	ordered.Ordered = true
	d.refused(ordered, tooMany)
	d.refused(&Commit{OpHeader: d.op(), Publishes: []CommitPublish{
		{Queue: "t", Count: MaxItems - 1, Records: testRecords(MaxItems-1, 4)}, {Queue: "t", Count: 1, Records: testRecords(1, 4)},
	}}, tooMany)
	infos, _ := d.s.Queues("s", "", MaxQueues)
	if i := slices.IndexFunc(infos, func(q QueueInfo) bool {
		return q.DeadLetter != "" && q.Ready != MaxItems+fit && q.Name != fmt.Sprintf("s%03d", subscriptions)
	}); i >= 0 {
		t.Fatalf("%+v", infos[i])
	}
	d.ok(publish(MaxItems - 100))
}

// TestFanOutIsNotCollected: of an operation that is refused for its fan-out no
// more matches are looked for than tell so, and none are kept.
func TestFanOutIsNotCollected(t *testing.T) {
	const subscriptions = MaxFanOut / 100
	d := newDriver(t)
	d.ok(&TopicCreate{OpHeader: d.op(), Topic: "t"})
	d.many(subscriptions, func(i int) Command {
		return &Subscribe{OpHeader: d.op(), Topic: "t", Queue: fmt.Sprintf("s%03d", i), Filter: ">"}
	})
	var records []byte
	for i := range MaxItems {
		records = append(records, recordsOfKind(1, 4, record.Message{Subject: fmt.Sprint("a", i)})...)
	}
	d.refused(&Commit{OpHeader: d.op(), Publishes: []CommitPublish{{Queue: "t", Count: MaxItems, Records: records}}},
		Result{Code: TooLarge, Detail: "more than 100000 messages in all subscriptions"})
	w := &d.s.work
	if w.fanOut > MaxFanOut+subscriptions {
		t.Errorf("%d matches were collected", w.fanOut)
	}
	if cap(w.matched) > matchedKept {
		t.Errorf("room for %d matches is kept", cap(w.matched))
	}
}

// TestRefusedBySeveral: one text is for all messages of a publish. Where several
// subscriptions refused some, it says that the one it names is not alone.
func TestRefusedBySeveral(t *testing.T) {
	d := newDriver(t)
	d.ok(&TopicCreate{OpHeader: d.op(), Topic: "t"})
	subject := func(subjects ...string) *Publish {
		var records []byte
		for _, s := range subjects {
			records = append(records, recordsOfKind(1, 4, record.Message{Subject: s})...)
		}
		return &Publish{OpHeader: d.op(), Queue: "t", Count: uint32(len(subjects)), Records: records}
	}
	for _, side := range []string{"left", "right"} {
		d.ok(&Subscribe{OpHeader: d.op(), Topic: "t", Queue: side, Filter: side, Required: true, Settings: Settings{MaxMessages: 1}})
		d.ok(subject(side))
	}
	for _, c := range []struct {
		subjects []string
		want     string
	}{
		{[]string{"right", "right"}, "subscription right is full"},
		{[]string{"left", "right"}, "subscription left is full, and others refuse too"},
	} {
		r := d.do(subject(c.subjects...)).Results[0]
		if r.Detail != c.want {
			t.Errorf("%q: %q, want %q", c.subjects, r.Detail, c.want)
		}
	}
}

// TestMaxTenants: as many tenants as there may be have messages, besides who
// names none, and one more is refused by name; those that are there are not,
// whichever way they come. There is room again when one is gone.
func TestMaxTenants(t *testing.T) {
	d := newDriver(t)
	d.ok(&QueueCreate{OpHeader: d.op(), Queue: "q", Settings: Settings{Fair: true}})
	of := func(from, count int) []byte {
		var records []byte
		for i := from; i < from+count; i++ {
			records = append(records, recordsOfKind(1, 2, record.Message{Tenant: fmt.Sprint("t", i)})...)
		}
		return records
	}
	publish := func(from, count int) Command {
		return &Publish{OpHeader: d.op(), Queue: "q", Count: uint32(count), Records: of(from, count)}
	}
	commit := func(from, count int) Command {
		return &Commit{OpHeader: d.op(), Publishes: []CommitPublish{{Queue: "q", Count: uint32(count), Records: of(from, count)}}}
	}
	weight := func(i int) Command {
		return &TenantWeight{OpHeader: d.op(), Queue: "q", Tenant: fmt.Sprint("t", i), Weight: 2}
	}
	d.publish("q", 1)
	d.many(MaxTenants/500-1, func(i int) Command { return publish(i*500, 500) })
	d.ok(commit(MaxTenants-500, 500))
	tooMany := Result{Code: Busy, Cause: CauseTenants, RetryAfterMillis: RetryFullMillis}
	d.refused(publish(MaxTenants, 1), tooMany)
	d.refused(commit(MaxTenants, 1), tooMany)
	d.refused(commit(MaxTenants-MaxItems/2, MaxItems), tooMany)
	d.refused(weight(MaxTenants), tooMany)
	d.ok(publish(MaxTenants-MaxItems, MaxItems))
	d.ok(commit(0, MaxItems))
	d.ok(weight(7))
	d.publish("q", 1)
	a := d.ok(&Consume{OpHeader: d.op(), Queue: "q", Consumer: 1, CreditMessages: 3})
	first := &a.Effects[1] // of t0, which has another message; the one before is nobody's
	d.refused(&Commit{OpHeader: d.op(), Settles: []SettleItem{{Incarnation: first.Incarnation, Place: first.Place, Token: first.Token, Action: ActionAck}},
		Publishes: []CommitPublish{{Queue: "q", Count: 1, Records: of(MaxTenants, 1)}}}, tooMany)
	d.ok(&QueuePurge{OpHeader: d.op(), Queue: "q"})
	d.ok(commit(MaxTenants, 1))
}

// An entry looks at no more message groups for new settings than one queue may
// have, however many changes it brings; the next one takes the rest.
func TestChangesOfSettingsInAnEntryAreBounded(t *testing.T) {
	d := newDriver(t)
	d.ok(&QueueCreate{OpHeader: d.op(), Queue: "q"})
	const groups = 4 * MaxItems
	for i := range groups / MaxItems {
		var records []byte
		for k := range MaxItems {
			records = append(records, recordsOfKind(1, 4, record.Message{GroupKey: fmt.Sprint(i, "-", k)})...)
		}
		d.ok(&Publish{OpHeader: d.op(), Queue: "q", Count: MaxItems, Records: records})
	}
	const afforded = MaxGroups / groups
	var all []Command
	for i := range afforded + 3 {
		all = append(all, &QueueUpdate{OpHeader: d.op(), Queue: "q", Settings: Settings{GroupBatch: 2 + uint32(i%900)}})
	}
	for i, r := range d.do(all...).Results {
		if busy := i >= afforded; busy != (r.Code == Busy) || busy != (r.RetryAfterMillis == RetryRoomMillis) || !busy && r.Code != OK {
			t.Errorf("change %d of %d: %+v", i, afforded, r)
		}
	}
	d.ok(&QueueUpdate{OpHeader: d.op(), Queue: "q", Settings: Settings{GroupBatch: 999}})
}
