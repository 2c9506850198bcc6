package fsm

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ferrymq/ferrymq/fsm/record"
)

// TestFanOutOfAnEntryIsBounded: many publishes together put no more messages
// into subscriptions than one may, and each gets in, in the end.
func TestFanOutOfAnEntryIsBounded(t *testing.T) {
	const subscriptions, publishes = 1000, 250
	d := newDriver(t)
	d.ok(&TopicCreate{OpHeader: d.op(), Topic: "t"})
	d.many(subscriptions, func(i int) Command {
		return &Subscribe{OpHeader: d.op(), Topic: "t", Queue: fmt.Sprint("s", i), Filter: ">"}
	})
	rest, entries := publishes, 0
	for ; rest > 0; entries++ {
		var all []Command
		for range rest {
			all = append(all, &Publish{OpHeader: d.op(), Queue: "t", Count: 1, Records: testRecords(1, 4)})
		}
		sum := uint64(0)
		for i, r := range d.do(all...).Results {
			if r.Code == OK {
				sum += r.Value
				rest--
			} else if r.Code != Busy || r.Cause != CauseEntry || r.RetryAfterMillis != RetryEntryMillis {
				t.Fatalf("publish %d: %+v", i, r)
			}
		}
		if n := len(d.s.work.matched); rest > 0 && n > 0 {
			t.Fatalf("for a publish that was refused %d subscriptions were collected", n)
		}
		if sum > MaxFanOut {
			t.Fatalf("an entry put %d messages into subscriptions", sum)
		}
	}
	if entries != 3 {
		t.Errorf("%d entries", entries)
	}
}

// ambiguous subscribes to t by filters of so many words, each of which is "a" or
// "*", and a last one that is "b".
func (d *driver) ambiguous(subscriptions, words int) {
	d.t.Helper()
	d.ok(&TopicCreate{OpHeader: d.op(), Topic: "t"})
	d.many(subscriptions, func(i int) Command {
		filter := ""
		for k := range words {
			filter += []string{"a.", "*."}[i>>k&1]
		}
		return &Subscribe{OpHeader: d.op(), Topic: "t", Queue: fmt.Sprint("s", i), Filter: filter + "b"}
	})
}

// unmatched publishes messages that come so far in such filters, each as far as the
// last word, and match none.
func (d *driver) unmatched(count, words int) *Publish {
	var records []byte
	for i := range count {
		subject := strings.Repeat("a.", words) + []string{"c", "d"}[i%2] // what follows its like is not compared
		records = append(records, recordsOfKind(1, 4, record.Message{Subject: subject})...)
	}
	return &Publish{OpHeader: d.op(), Queue: "t", Count: uint32(count), Records: records}
}

// TestFilterWordsAreBounded: a subject is compared with no more words of filters
// than an entry affords, whether anything matches or not.
func TestFilterWordsAreBounded(t *testing.T) {
	const words, each, most = 5, 2 + 4 + 8 + 16 + 32, 200
	d := newDriver(t)
	d.ambiguous(1<<words, words)
	d.ok(&QueueCreate{OpHeader: d.op(), Queue: "q"})
	d.s.bounds.Words = most
	never := Result{Code: TooLarge, Detail: "more than 1048576 words of filters to compare the subjects with"}
	if items := d.do(d.unmatched(most/each+1, words)).Results[0].Items; items[most/each-1].Code != OK || items[most/each].Cause != CauseEntry {
		t.Errorf("of messages one of which has no words left: %+v", items)
	}
	p := d.unmatched(most/each+1, words)
	d.refused(&Commit{OpHeader: p.OpHeader, Publishes: []CommitPublish{{Queue: "t", Count: p.Count, Records: p.Records}}}, never)

	all := []Command{d.unmatched(most/each, words)}
	for range 50 {
		all = append(all, d.unmatched(1, words))
	}
	all = append(all, &Publish{OpHeader: d.op(), Queue: "q", Count: 1, Records: testRecords(1, 4)})
	for i, r := range d.do(all...).Results {
		want := Result{Code: Busy, Cause: CauseEntry, RetryAfterMillis: RetryEntryMillis}
		if i == 0 || i == len(all)-1 {
			want = Result{}
		}
		if r.Code != want.Code || r.Cause != want.Cause || r.RetryAfterMillis != want.RetryAfterMillis {
			t.Errorf("publish %d: %+v", i, r)
		}
	}
	if n := d.s.work.comparing.entry; n <= most || n > most+len(all)*words {
		t.Errorf("%d words were compared", n)
	}
	d.ok(d.unmatched(1, words))
	if r := d.ok(&Publish{OpHeader: d.op(), Queue: "t", Count: 1, Records: recordsOfKind(1, 4, record.Message{Subject: "a.a.a.a.a.b"})}).Results[0]; r.Value != 1<<words {
		t.Errorf("%d subscriptions got what matches them all", r.Value)
	}
}

// TestWordsAreCountedOnce: a commit that an entry affords is not too large for what
// came before it.
func TestWordsAreCountedOnce(t *testing.T) {
	const words, each = 5, 2 + 4 + 8 + 16 + 32
	d := newDriver(t)
	d.ambiguous(1<<words, words)
	d.ok(&TopicCreate{OpHeader: d.op(), Topic: "all"})
	d.ok(&Subscribe{OpHeader: d.op(), Topic: "all", Queue: "x", Filter: ">"})
	d.s.bounds.Words, d.s.bounds.FanOut = 3*each, 3
	first := &Publish{OpHeader: d.op(), Queue: "all", Count: 2, Records: testRecords(2, 4)}
	p := d.unmatched(2, words)
	r := d.do(first, &Commit{OpHeader: p.OpHeader, Publishes: []CommitPublish{{Queue: "t", Count: 2, Records: p.Records}}}).Results[1]
	if r.Code != OK {
		t.Errorf("%+v", r)
	}
}

// TestAttachesOfAnEntryAreBounded: what a session holds is delivered anew as often
// as it attaches, but not without end in one entry.
func TestAttachesOfAnEntryAreBounded(t *testing.T) {
	d := newDriver(t)
	d.ok(&QueueCreate{OpHeader: d.op(), Queue: "q"})
	d.ok(&Consume{OpHeader: d.op(), Queue: "q", Consumer: 1, CreditMessages: MaxCreditMessages})
	for range 4 {
		d.ok(&Publish{OpHeader: d.op(), Queue: "q", Count: MaxItems, Records: testRecords(MaxItems, 4)})
	}
	var all []Command
	const held, attaches = 4 * MaxItems, 50
	for range attaches {
		all = append(all, &Attach{Session: d.id, Epoch: 1, Node: "n"})
	}
	a := d.do(all...)
	taken := 0
	for _, r := range a.Results {
		switch {
		case r.Code == OK:
			taken++
		case r.Code != Busy || r.Cause != CauseEntry:
			t.Fatalf("%+v", r)
		}
	}
	if taken != MaxSessionCredit/(held+1) || len(a.Effects) != taken*held {
		t.Errorf("%d attaches taken, %d effects", taken, len(a.Effects))
	}
}

// TestAttachesOfIdleConsumersAreBounded: consumers that hold nothing are told of the
// end of each attachment all the same.
func TestAttachesOfIdleConsumersAreBounded(t *testing.T) {
	d := newDriver(t)
	d.ok(&QueueCreate{OpHeader: d.op(), Queue: "q"})
	d.many(MaxConsumersPerSession, func(i int) Command {
		return &Consume{OpHeader: d.op(), Queue: "q", Consumer: uint32(i)}
	})
	var all []Command
	for i := range 1000 {
		all = append(all, &Attach{Session: d.id, Epoch: uint64(2 + i), Node: "n"})
	}
	a := d.do(all...)
	taken := 0
	for _, r := range a.Results {
		if r.Code == OK {
			taken++
		} else if r.Code != Busy || r.Cause != CauseEntry {
			t.Fatalf("%+v", r)
		}
	}
	if taken != MaxSessionCredit/MaxConsumersPerSession || len(a.Effects) != taken*MaxConsumersPerSession {
		t.Errorf("%d attaches taken, %d effects", taken, len(a.Effects))
	}
}

// TestPurgesOfAnEntryAreBounded: a purge makes the tenants that have a weight
// anew, one by one, if there is anything to purge.
func TestPurgesOfAnEntryAreBounded(t *testing.T) {
	const tenants = 100
	d := newDriver(t)
	d.s.bounds.Lines = 2*tenants + 1
	d.ok(&QueueCreate{OpHeader: d.op(), Queue: "q", Settings: Settings{Fair: true}})
	d.many(tenants, func(i int) Command {
		return &TenantWeight{OpHeader: d.op(), Queue: "q", Tenant: fmt.Sprint("t", i), Weight: 2}
	})
	publish := func() Command {
		return &Publish{OpHeader: d.op(), Queue: "q", Count: 1, Records: testRecords(1, 4)}
	}
	purge := func() Command { return &QueuePurge{OpHeader: d.op(), Queue: "q"} }
	got := d.do(publish(), purge(), purge(), publish(), purge(), publish(), purge()).Results
	for i, want := range []Code{OK, OK, OK, OK, OK, OK, Busy} {
		if got[i].Code != want {
			t.Errorf("command %d: %+v", i, got[i])
		}
	}
	if n := d.queue("q").Ready; n != 1 {
		t.Errorf("%d messages are left", n)
	}
}
