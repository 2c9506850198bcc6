package fsm

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/ferrymq/ferrymq/fsm/record"
)

// BenchmarkWorstEntry does in one entry the most of what one command may ask
// for, on a large state, and reports how long the entry took. Run it with
// -benchtime 1x: a state is made for each.
func BenchmarkWorstEntry(b *testing.B) {
	for _, c := range []struct {
		name  string
		worst func(*testing.B) (x *bench, commands []byte)
	}{
		{"room-by-messages", worstRoomByMessages},
		{"room-by-bytes", worstRoomByBytes},
		{"room-fan-out", worstRoomFanOut},
		{"filters", worstFilters},
		{"reorder", worstReorder},
		{"reorder-leased", worstReorderLeased},
		{"groups-open", worstOpen},
		{"hand-out-kept", worstKept},
		{"purge-leased", worstPurge},
		{"purge-waiting", worstPurgeWaiting},
		{"detach-node", worstDetach},
		{"end-bound", worstEndBound},
		{"delete-topic", worstDeleteTopic},
	} {
		b.Run(c.name, func(b *testing.B) {
			for range b.N {
				x, commands := c.worst(b)
				start := time.Now()
				x.apply(b, commands, 1)
				b.ReportMetric(float64(time.Since(start).Microseconds())/1000, "ms/entry")
			}
		})
	}
}

// fill publishes messages of 8 bytes.
func (x *bench) fill(b *testing.B, queue string, count int, m record.Message) {
	records := recordsOfKind(MaxItems, 8, m)
	for ; count > 0; count -= MaxItems {
		n := min(count, MaxItems)
		if n < MaxItems {
			records = recordsOfKind(n, 8, m)
		}
		x.apply(b, AppendPublish(nil, &Publish{OpHeader: x.header(), Queue: queue, Count: uint32(n), Records: records}), 1)
	}
}

// worstRoomByMessages: half a million messages, and the limit was lowered.
func worstRoomByMessages(b *testing.B) (*bench, []byte) {
	x := newBench(b, 8, false)
	x.fill(b, "q", 500_000, record.Message{})
	x.apply(b, AppendQueueUpdate(nil, &QueueUpdate{OpHeader: x.header(), Queue: "q",
		Settings: Settings{Overflow: OverflowDropOldest, MaxMessages: 1}}), 1)
	return x, AppendPublish(nil, &Publish{OpHeader: x.header(), Queue: "q", Count: 1, Records: x.body})
}

// worstRoomByBytes: half a million tiny messages, and a large one in a frame
// of others.
func worstRoomByBytes(b *testing.B) (*bench, []byte) {
	x := newBench(b, 1000, false)
	x.fill(b, "q", 500_000, record.Message{})
	x.apply(b, AppendQueueUpdate(nil, &QueueUpdate{OpHeader: x.header(), Queue: "q",
		Settings: Settings{Overflow: OverflowDropOldest, MaxBytes: 1000}}), 1)
	return x, AppendPublish(nil, &Publish{OpHeader: x.header(), Queue: "q", Count: MaxItems, Records: slices.Repeat(x.body, MaxItems)})
}

// worstRoomFanOut: the largest fan-out there may be, to subscriptions that are
// full, and each drops one message for each.
func worstRoomFanOut(b *testing.B) (*bench, []byte) {
	const subscriptions = MaxFanOut / MaxItems
	x := newBench(b, 8, false)
	x.apply(b, AppendTopicCreate(nil, &TopicCreate{OpHeader: x.header(), Topic: "t"}), 1)
	for i := range subscriptions {
		x.apply(b, AppendSubscribe(nil, &Subscribe{OpHeader: x.header(), Topic: "t", Queue: fmt.Sprint("s", i), Filter: ">",
			Settings: Settings{MaxMessages: MaxItems}}), 1)
	}
	x.fill(b, "t", MaxItems, record.Message{})
	return x, AppendPublish(nil, &Publish{OpHeader: x.header(), Queue: "t", Count: MaxItems, Records: slices.Repeat(x.body, MaxItems)})
}

// worstFilters: as many filters as a topic may have, as long and ambiguous as they
// may be, and subjects that come to the end of each and match none.
func worstFilters(b *testing.B) (*bench, []byte) {
	d := newDriver(b)
	d.ambiguous(MaxSubscriptions, maxWords-1)
	return &bench{s: d.s}, Append(nil, d.unmatched(MaxItems, maxWords-1))
}

// worstReorder: a message in each of as many groups as there may be, and the
// setting that says how many of one are handed out at a time is changed.
func worstReorder(b *testing.B) (*bench, []byte) {
	x := newBench(b, 8, false)
	x.groups(b, MaxGroups)
	return x, AppendQueueUpdate(nil, &QueueUpdate{OpHeader: x.header(), Queue: "q", Settings: Settings{GroupBatch: 7}})
}

// groups publishes a message to each of so many groups.
func (x *bench) groups(b testing.TB, count int) {
	for from := 0; from < count; from += MaxItems {
		n := min(count-from, MaxItems)
		var records []byte
		for i := range n {
			records = append(records, recordsOfKind(1, 8, record.Message{GroupKey: fmt.Sprint("g", from+i)})...)
		}
		x.apply(b, AppendPublish(nil, &Publish{OpHeader: x.header(), Queue: "q", Count: uint32(n), Records: records}), 1)
	}
}

// worstReorderLeased: the same with a message of each group leased, and another
// one that waits for it and may be handed out then.
func worstReorderLeased(b *testing.B) (*bench, []byte) {
	x := leased(b)
	x.groups(b, MaxGroups)
	return x, AppendQueueUpdate(nil, &QueueUpdate{OpHeader: x.header(), Queue: "q", Settings: Settings{GroupBatch: 7}})
}

// worstOpen: the largest frame of acks, of a session that has as many groups
// open as its credit lets it have.
func worstOpen(b *testing.B) (*bench, []byte) {
	x, items := open(b, MaxSessionCredit/MaxCreditMessages, MaxCreditMessages)
	return x, AppendSettle(nil, &Settle{OpHeader: x.header(), Items: items[:MaxItems]})
}

// open is a queue with consumers that have each one message of so many groups,
// and may be given another of each. It returns what acks them.
func open(tb testing.TB, consumers, groups int) (*bench, []SettleItem) {
	x := newBench(tb, 8, false)
	x.apply(tb, AppendQueueUpdate(nil, &QueueUpdate{OpHeader: x.header(), Queue: "q", Settings: Settings{GroupBatch: 2}}), 1)
	x.groups(tb, 2*consumers*groups)
	x.groups(tb, 2*consumers*groups)
	var items []SettleItem
	for i := range consumers {
		a := x.apply(tb, AppendConsume(nil, &Consume{OpHeader: x.header(), Queue: "q", Consumer: uint32(i), CreditMessages: uint32(groups)}), 1)
		for k := range a.Effects {
			e := &a.Effects[k]
			items = append(items, SettleItem{Incarnation: e.Incarnation, Place: e.Place, Token: e.Token, Action: ActionAck})
		}
	}
	return x, items
}

// TestOpenGroupsAreLeftAlone: a settle and a hand-out look again at no group
// but those that they let go on, or that no longer can.
func TestOpenGroupsAreLeftAlone(t *testing.T) {
	x, items := open(t, 1, 64)
	c, _ := x.s.consumers.Get(x.s.serials)
	q := x.s.queueNamed("q")
	if len(items) != 64 || c.open.Len() == 0 {
		t.Fatalf("%d handed out, %d groups are open", len(items), c.open.Len())
	}
	q.paused = true // nothing is handed out in return
	for i := range 3 {
		groups, want := c.open.Len(), 0
		if i == 0 { // it had no room
			want = groups
		}
		x.apply(t, AppendSettle(nil, &Settle{OpHeader: x.header(), Items: items[i : i+1]}), 1)
		if n := len(x.s.work.lines); n != want {
			t.Errorf("settle %d looked at %d of %d groups, not at %d", i, n, groups, want)
		}
	}
}

// worstKept: a queue is resumed of which a session is handed as much as it may,
// while most of the other consumers are kept for a message.
func worstKept(b *testing.B) (*bench, []byte) {
	const perSession, sessions = MaxConsumersPerSession * 3 / 4, 4
	x := newBench(b, 8, false)
	x.apply(b, AppendQueueUpdate(nil, &QueueUpdate{OpHeader: x.header(), Queue: "q", Settings: Settings{Retry: RetryImmediate, FailureLimit: -1}}), 1)
	consume := func(name string, consumers int, credit uint32) {
		id := sessionID(name)
		c := AppendAttach(AppendOpen(nil, &Open{Session: id}), &Attach{Session: id, Epoch: 1, Node: name})
		for i := range consumers {
			h := OpHeader{Session: id, Epoch: 1, Number: uint64(i) + 1, AnsweredThrough: uint64(i)}
			c = AppendConsume(c, &Consume{OpHeader: h, Queue: "q", Consumer: uint32(i), CreditMessages: credit, Concurrency: credit})
		}
		x.apply(b, c, 2+consumers)
	}
	consume("lost", perSession, sessions)
	x.fill(b, "q", perSession*sessions, record.Message{})
	for i := range sessions {
		consume(fmt.Sprint("s", i), perSession, 2)
	}
	x.fill(b, "q", perSession*sessions, record.Message{})
	x.apply(b, AppendDetach(nil, &Detach{Session: sessionID("lost"), Epoch: 1, Node: "lost"}), 1)
	if _, err := x.s.Apply(x.s.Index()+1, AppendEntryHeader(nil, 1, Clock{LeaseMillis: GraceNodeMillis}, 0)); err != nil {
		b.Fatal(err)
	}
	if n := x.s.queueNamed("q").reserved(); n != perSession*sessions {
		b.Fatalf("%d of %d consumers are kept", n, perSession*sessions)
	}
	x.fill(b, "q", MaxSessionCredit, record.Message{})
	x.apply(b, AppendQueuePause(nil, &QueuePause{OpHeader: x.header(), Queue: "q", Paused: true}), 1)
	consume("last", MaxSessionCredit/MaxCreditMessages, MaxCreditMessages)
	return x, AppendQueuePause(nil, &QueuePause{OpHeader: x.header(), Queue: "q"})
}

// worstPurgeWaiting: as many groups as there may be, of which nothing is ready,
// and one message that is.
func worstPurgeWaiting(b *testing.B) (*bench, []byte) {
	x := newBench(b, 8, false)
	for from := 0; from < MaxGroups; from += MaxItems {
		n := min(MaxGroups-from, MaxItems)
		var records []byte
		for i := range n {
			m := record.Message{GroupKey: fmt.Sprint("g", from+i), DelayMillis: 60_000}
			if from+i == MaxGroups-1 {
				m.DelayMillis = 0
			}
			records = append(records, recordsOfKind(1, 8, m)...)
		}
		x.apply(b, AppendPublish(nil, &Publish{OpHeader: x.header(), Queue: "q", Count: uint32(n), Records: records}), 1)
	}
	return x, AppendQueuePurge(nil, &QueuePurge{OpHeader: x.header(), Queue: "q"})
}

// worstPurge: a queue in which a message of each of as many groups as there may
// be is leased is purged.
func worstPurge(b *testing.B) (*bench, []byte) {
	x := leased(b)
	return x, AppendQueuePurge(nil, &QueuePurge{OpHeader: x.header(), Queue: "q"})
}

// leased is a queue with a message of each of as many groups as there may be,
// all of them leased.
func leased(b *testing.B) *bench {
	x := newBench(b, 8, false)
	x.groups(b, MaxGroups)
	for i := range MaxGroups / MaxSessionCredit {
		id := sessionID(fmt.Sprint("s", i))
		c := AppendOpen(nil, &Open{Session: id})
		c = AppendAttach(c, &Attach{Session: id, Epoch: 1, Node: "n"})
		x.apply(b, c, 2)
		for k := range uint64(MaxSessionCredit / MaxCreditMessages) {
			h := OpHeader{Session: id, Epoch: 1, Number: k + 1, AnsweredThrough: k}
			x.apply(b, AppendConsume(nil, &Consume{OpHeader: h, Queue: "q", Consumer: uint32(k), CreditMessages: MaxCreditMessages}), 1)
		}
	}
	if q, _ := x.s.Queue("q"); q.Leased != MaxGroups {
		b.Fatalf("%d leased", q.Leased)
	}
	return x
}

// worstDetach: a node is lost to which all sessions that there may be were
// attached, each with as many leases as fit a queue's consumers.
func worstDetach(b *testing.B) (*bench, []byte) {
	const perQueue, credit = MaxConsumersPerQueue, 8
	x := newBench(b, 8, false)
	for i := range MaxSessions - 1 {
		id := sessionID(fmt.Sprint("s", i))
		queue := fmt.Sprint("q", i/perQueue)
		var c []byte
		n := 3
		if i%perQueue == 0 {
			c = AppendQueueCreate(c, &QueueCreate{OpHeader: x.header(), Queue: queue})
			for range perQueue * credit / MaxItems {
				c = AppendPublish(c, &Publish{OpHeader: x.header(), Queue: queue, Count: MaxItems, Records: slices.Repeat(x.body, MaxItems)})
				n++
			}
			n++
		}
		c = AppendOpen(c, &Open{Session: id})
		c = AppendAttach(c, &Attach{Session: id, Epoch: 1, Node: "lost"})
		c = AppendConsume(c, &Consume{OpHeader: OpHeader{Session: id, Epoch: 1, Number: 1}, Queue: queue, CreditMessages: credit})
		x.apply(b, c, n)
	}
	return x, AppendDetachNode(nil, &DetachNode{Node: "lost"})
}

// worstEndBound: the end of a session with nearly as many subscriptions as there
// may be queues for.
func worstEndBound(b *testing.B) (*bench, []byte) {
	x := newBench(b, 1, false)
	for i := range 13 {
		x.subscribe(b, fmt.Sprint("t", i), MaxSubscriptions, true)
	}
	return x, AppendEnd(nil, &End{Session: x.id, Epoch: 1})
}

// worstDeleteTopic: as many subscriptions as a topic may have go with it.
func worstDeleteTopic(b *testing.B) (*bench, []byte) {
	x := newBench(b, 1, false)
	x.subscribe(b, "t", MaxSubscriptions, false)
	return x, AppendTopicDelete(nil, &TopicDelete{OpHeader: x.header(), Topic: "t"})
}

// subscribe makes a topic with so many subscriptions.
func (x *bench) subscribe(tb testing.TB, topic string, count int, session bool) {
	c := AppendTopicCreate(nil, &TopicCreate{OpHeader: x.header(), Topic: topic})
	for i := range count {
		c = AppendSubscribe(c, &Subscribe{OpHeader: x.header(), Topic: topic, Queue: fmt.Sprint(topic, "-", i), Filter: ">", Session: session})
	}
	x.apply(tb, c, count+1)
}
