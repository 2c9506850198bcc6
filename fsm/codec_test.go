package fsm

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

// everyCommand is one of each, with no field at its zero value.
func everyCommand() []Command {
	h := OpHeader{Session: sessionID("s"), Epoch: 3, Number: 1 << 40, AnsweredThrough: 1 << 39, Ordered: true, Predecessor: 300}
	set := Settings{MaxMessages: 1 << 50, MaxBytes: 70000, Overflow: 1, FailureLimit: -1, LeaseMillis: 5000, DLQMessages: 9, DLQBytes: 1 << 33,
		TTLMillis: 1 << 36, ExpiredDead: true, Retry: RetryLinear, RetryBaseMillis: 70, RetryMaxMillis: 71, RetryFactor: 3,
		StarvationGuard: -1, GroupFailure: GroupDead, GroupBatch: 17, Exclusive: true, Fair: true,
		DedupMillis: 5000, DedupCapacity: 1 << 20, Breaker: true, DispatchRate: 1 << 21, DispatchBurst: 19}
	long := strings.Repeat("é", 40000)
	return []Command{
		&Leader{Node: "n1"}, &DetachNode{Node: "n2"},
		&Open{Session: h.Session, Secret: SecretHash{1, 31: 2}, Principal: "p", IdleExpiryMillis: 77},
		&Attach{Session: h.Session, Secret: SecretHash{9}, Epoch: 4, Node: "n", Resume: true, Tokens: []uint64{1, 200, 1 << 60}},
		&Detach{Session: h.Session, Epoch: 5, Node: "n", Cause: DetachNodeLost},
		&End{Session: h.Session, Epoch: 6},
		&Publish{OpHeader: h, Queue: "q", Count: 2, Records: testRecords(2, 300)},
		&Settle{OpHeader: h, Items: []SettleItem{
			{Incarnation: 1, Place: 2, Token: 3, Action: ActionAck},
			{Incarnation: 1 << 40, Place: 1 << 41, Token: 1 << 42, Action: 255, Reason: 255, DelayMillis: 7, Error: long},
		}},
		&Consume{OpHeader: h, Consumer: 8, Queue: "q", CreditMessages: 9, CreditBytes: 10, Concurrency: 11, NoAck: true, LeaseMillis: 12},
		&Cancel{OpHeader: h, Consumer: 13, Return: true},
		&Credit{Session: h.Session, Epoch: 14, Consumer: 15, Through: 16},
		&QueueCreate{OpHeader: h, Queue: "q", Settings: set}, &QueueUpdate{OpHeader: h, Queue: long, Settings: set},
		&QueueDelete{OpHeader: h, Queue: "q", IfEmpty: true, IfUnused: true},
		&QueuePurge{OpHeader: h, Queue: "q"}, &QueuePause{OpHeader: h, Queue: "q", Paused: true},
		&SetVersion{Version: 1}, &Checkpoint{},
		&Commit{OpHeader: h, Settles: []SettleItem{{Incarnation: 1, Place: 2, Token: 3, Action: ActionAck}},
			Publishes: []CommitPublish{{Queue: "a", Count: 1, Records: testRecords(1, 10)}, {Queue: "b", Count: 2, Records: testRecords(2, 300)}}},
		&Amend{OpHeader: h, Queue: "q", Action: AmendMove, To: "r", AtMillis: 1 << 41, Reset: true,
			Items: []AmendItem{{Place: 1, Index: 2, Position: 3}, {Place: 1 << 60, Index: 1 << 61, Position: 1 << 31}}},
		&Breaker{OpHeader: h, Queue: "q", Action: BreakerClose}, &GroupResume{OpHeader: h, Queue: "q", Group: "g"},
		&TenantWeight{OpHeader: h, Queue: "q", Tenant: "t", Weight: 9},
		&TopicCreate{OpHeader: h, Topic: "t", Settings: TopicSettings{DedupMillis: 1000, DedupCapacity: 70000}},
		&TopicDelete{OpHeader: h, Topic: "t", IfUnused: true},
		&Subscribe{OpHeader: h, Topic: "t", Queue: "q", Filter: "a.*", Required: true, Session: true, Settings: set},
		&Request{OpHeader: h, Queue: "q", NoRetry: true, Taken: []uint64{3, 1 << 40}, Records: testRecords(1, 9)},
		&Reply{OpHeader: h, Incarnation: 1, Place: 2, Token: 1 << 40, Records: testRecords(1, 9)},
		&Await{Session: h.Session, Epoch: 4, Number: 9},
	}
}

func entryOf(at Clock, commands ...Command) []byte {
	b := AppendEntryHeader(nil, VersionCurrent, at, len(commands))
	for _, c := range commands {
		b = Append(b, c)
	}
	return b
}

func TestCommandsKeepEveryField(t *testing.T) {
	all := everyCommand()
	if len(all) != int(KindAwait) {
		t.Fatalf("%d commands, %d kinds", len(all), KindAwait)
	}
	at := Clock{WallMillis: 1 << 41, LeaseMillis: 1 << 30}
	h, got, err := DecodeEntry(entryOf(at, all...))
	if err != nil || h.Clock != at || h.Version != VersionCurrent {
		t.Fatal(h, err)
	}
	for i := range all {
		if all[i].Kind() != Kind(i+1) || !reflect.DeepEqual(all[i], got[i]) {
			t.Errorf("kind %d:\n%+v\n%+v", i+1, all[i], got[i])
		}
	}
}

// Whatever a client asked for, once encoded, is a result and not the end of a node.
func TestEveryCommandIsCarriedOut(t *testing.T) {
	for _, c := range everyCommand() {
		if _, err := New(1).Apply(1, entryOf(Clock{}, c)); err != nil {
			t.Errorf("%T: %v", c, err)
		}
	}
}

func TestUndecodableEntriesStopTheNode(t *testing.T) {
	good := entryOf(Clock{}, &Leader{Node: "n"}, &End{})
	change := func(at int, v byte) []byte {
		b := append([]byte(nil), good...)
		b[at] = v
		return b
	}
	for name, c := range map[string]struct {
		entry []byte
		want  error
	}{
		"empty":             {nil, ErrEntry},
		"short header":      {good[:20], ErrEntry},
		"cut":               {good[:len(good)-1], ErrEntry},
		"trailing":          {append(append([]byte(nil), good...), 0), ErrEntry},
		"newer format":      {change(0, 2), ErrVersion},
		"newer version":     {change(2, 2), ErrVersion},
		"version 0":         {change(2, 0), ErrEntry},
		"negative clock":    {change(3, 0xff), ErrEntry},
		"clock too large":   {change(11, 0x7f), ErrEntry},
		"more claimed":      {change(22, 3), ErrEntry},
		"huge claim":        {change(19, 0xff), ErrEntry},
		"fewer claimed":     {change(22, 1), ErrEntry},
		"unknown kind":      {change(EntryHeaderSize+2, 99), ErrEntry},
		"not a binary":      {change(EntryHeaderSize, 0xc0), ErrEntry},
		"raised beyond us":  {entryOf(Clock{}, &SetVersion{Version: VersionCurrent + 1}), ErrVersion},
		"field left over":   {append(AppendEntryHeader(nil, 1, Clock{}, 1), 0xc4, 2, byte(KindCheckpoint), 0), ErrEntry},
		"index not rising":  {good, ErrBroken},
		"records cut short": {change(len(good)-1, 0xcf), ErrEntry},
	} {
		s := New(1)
		index := uint64(1)
		if name == "index not rising" {
			index = 0
		}
		_, err := s.Apply(index, c.entry)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
		if _, again := s.Apply(5, good); again == nil || s.Check() == nil {
			t.Errorf("%s: the state went on", name)
		}
	}
}

func TestNames(t *testing.T) {
	for name, good := range map[string]bool{
		"q": true, "A-z_0.9": true, strings.Repeat("n", 196): true, "a.dlqx": true, ".": true,
		"": false, strings.Repeat("n", 197): false, "$q": false, "q.dlq": false, ".dlq": false, "a b": false, "ä": false, "a/b": false,
	} {
		if fault := nameFault("queue", name); (fault == "") != good {
			t.Errorf("%q: %q", name, fault)
		}
	}
}

func TestErrorsAreCutAtCharacters(t *testing.T) {
	for text, want := range map[string]int{
		strings.Repeat("a", 1024):        1024,
		strings.Repeat("a", 2000):        1024,
		"a" + strings.Repeat("é", 1000):  1023,
		"aa" + strings.Repeat("€", 1000): 1022,
	} {
		if got := cut(text); len(got) != want || !strings.HasPrefix(text, got) {
			t.Errorf("%d bytes, want %d", len(got), want)
		}
	}
}
