package fsm

import (
	"bytes"
	"slices"
	"testing"

	"github.com/ferrymq/ferrymq/fsm/record"
)

// feed turns fuzzed bytes into choices; at its end it chooses 0.
type feed struct{ b []byte }

func (f *feed) byte() byte {
	if len(f.b) == 0 {
		return 0
	}
	v := f.b[0]
	f.b = f.b[1:]
	return v
}

func (f *feed) upTo(n int) uint64 { return uint64(f.byte()) % uint64(n) }

// command makes a command out of small domains, so that most are meaningful.
func (f *feed) command() Command {
	session := sessionID(string(rune('a' + f.upTo(3))))
	name := []string{"q", "r", "q.dlq", "$x", "t"}[f.upTo(5)]
	h := OpHeader{Session: session, Epoch: f.upTo(3), Number: f.upTo(64), AnsweredThrough: f.upTo(40)}
	switch f.upTo(28) {
	case 0:
		return &Leader{Node: "n"}
	case 1:
		return &DetachNode{Node: "n"}
	case 2:
		return &Open{Session: session, IdleExpiryMillis: uint32(f.upTo(3)) * 2000}
	case 3:
		a := &Attach{Session: session, Epoch: f.upTo(3), Node: "n"}
		for range f.upTo(4) {
			a.Tokens = append(a.Tokens, f.upTo(20))
		}
		return a
	case 4:
		return &Detach{Session: session, Epoch: f.upTo(3), Node: "n", Cause: DetachCause(f.upTo(4))}
	case 5:
		return &End{Session: session, Epoch: f.upTo(3)}
	case 6:
		return &Credit{Session: session, Epoch: f.upTo(3), Consumer: uint32(f.upTo(3)), Through: f.upTo(10)}
	case 7:
		return &Consume{OpHeader: h, Queue: name, Consumer: uint32(f.upTo(3)), CreditMessages: uint32(f.upTo(4)),
			CreditBytes: uint32(f.upTo(60)), Concurrency: uint32(f.upTo(3)), NoAck: f.upTo(2) == 1, LeaseMillis: uint32(f.upTo(3)) * 1000}
	case 8:
		return &Cancel{OpHeader: h, Consumer: uint32(f.upTo(3)), Return: f.upTo(2) == 1}
	case 9:
		return &QueueCreate{OpHeader: h, Queue: name, Settings: f.settings()}
	case 10:
		return &QueueUpdate{OpHeader: h, Queue: name, Settings: f.settings()}
	case 11:
		return &QueueDelete{OpHeader: h, Queue: name, IfEmpty: f.upTo(2) == 1, IfUnused: f.upTo(2) == 1}
	case 12:
		return &QueuePurge{OpHeader: h, Queue: name}
	case 13:
		return &QueuePause{OpHeader: h, Queue: name, Paused: f.upTo(2) == 1}
	case 22:
		return &GroupResume{OpHeader: h, Queue: name, Group: []string{"", "x", "y"}[f.upTo(3)]}
	case 23:
		return &TenantWeight{OpHeader: h, Queue: name, Tenant: []string{"", "t"}[f.upTo(2)], Weight: uint32(f.upTo(4))}
	case 16:
		x := &Amend{OpHeader: h, Queue: name, Action: AmendAction(f.upTo(6)), To: []string{"", "q", "r", "q.dlq"}[f.upTo(4)],
			AtMillis: int64(f.upTo(20)) * 1000, Reset: f.upTo(2) == 1}
		for range f.upTo(4) {
			x.Items = append(x.Items, AmendItem{Place: f.upTo(12), Index: f.upTo(5), Position: uint32(f.upTo(16))})
		}
		return x
	case 24:
		return &Request{OpHeader: h, Queue: name, NoRetry: f.upTo(2) == 1, Taken: []uint64{f.upTo(64)},
			Records: recordsOfKind(int(f.upTo(3)), 8, record.Message{DeadlineMillis: f.upTo(40) * 1000})}
	case 25:
		return &Reply{OpHeader: h, Incarnation: f.upTo(4), Place: f.upTo(14), Token: f.upTo(30), Records: testRecords(1, 5)}
	case 27:
		return &Breaker{OpHeader: h, Queue: name, Action: BreakerAction(f.upTo(4))}
	case 26:
		return &Await{Session: session, Epoch: f.upTo(3), Number: f.upTo(64)}
	case 14, 15:
		x := &Settle{OpHeader: h}
		x.Ordered, x.Predecessor = f.upTo(4) == 1, f.upTo(8)
		for range f.upTo(5) {
			x.Items = append(x.Items, SettleItem{Incarnation: f.upTo(4), Place: f.upTo(10), Token: f.upTo(20),
				Action: Action(f.upTo(6)), Reason: Reason(f.upTo(5)), Error: "e",
				DelayMillis: uint32(f.upTo(4)) * 300})
		}
		return x
	case 18:
		return &TopicCreate{OpHeader: h, Topic: name, Settings: TopicSettings{DedupMillis: 1000, DedupCapacity: uint32(f.upTo(3))}}
	case 19:
		return &TopicDelete{OpHeader: h, Topic: name, IfUnused: f.upTo(2) == 1}
	case 20:
		return &Subscribe{OpHeader: h, Topic: "t", Queue: name, Filter: []string{">", "a", "*", "a..b"}[f.upTo(4)],
			Required: f.upTo(2) == 1, Session: f.upTo(2) == 1, Settings: f.settings()}
	case 21:
		x := &Commit{OpHeader: h}
		for range f.upTo(3) {
			x.Settles = append(x.Settles, SettleItem{Incarnation: f.upTo(4), Place: f.upTo(10), Token: f.upTo(20),
				Action: Action(f.upTo(6)), Reason: Reason(f.upTo(5))})
		}
		for range f.upTo(3) {
			n := f.upTo(4)
			x.Publishes = append(x.Publishes, CommitPublish{Queue: []string{"q", "r", "t"}[f.upTo(3)], Count: uint32(n),
				Records: recordsOfKind(int(n), int(f.upTo(30)), f.message())})
		}
		return x
	default:
		x := &Publish{OpHeader: h, Queue: name, Count: uint32(f.upTo(5))}
		x.Ordered, x.Predecessor = f.upTo(4) == 1, f.upTo(8)
		x.Records = recordsOfKind(int(x.Count), int(f.upTo(30)), f.message())
		if f.upTo(8) == 1 {
			x.Count++
		}
		return x
	}
}

// message has attributes that decide its line and when it is ready.
func (f *feed) message() (m record.Message) {
	switch kind := f.upTo(8); kind {
	case 0, 1:
		m.GroupKey = []string{"x", "y"}[kind]
	case 2, 3:
		m.Priority = new(uint8)
		*m.Priority = uint8(kind) * 2
	case 4:
		m.Tenant = "t"
	}
	if f.upTo(3) == 1 {
		m.TTLMillis, m.DelayMillis = f.upTo(3)*800, f.upTo(3)*600
	}
	m.Subject, m.DedupID = []string{"", "a", "b", ".."}[f.upTo(4)], []string{"", "x", "y"}[f.upTo(3)]
	return m
}

func (f *feed) settings() Settings {
	window := uint32(f.upTo(4) / 3)
	return Settings{DedupMillis: window * 1000, DedupCapacity: window * 2,
		StarvationGuard: int32(f.upTo(4)) - 1, GroupFailure: GroupFailure(f.upTo(5)), GroupBatch: uint32(f.upTo(3)),
		Fair: f.upTo(3) == 1, MaxMessages: f.upTo(8), MaxBytes: f.upTo(3) * 50, FailureLimit: int32(f.upTo(4)) - 1,
		LeaseMillis: uint32(f.upTo(3)) * 1000, DLQMessages: f.upTo(3),
		Retry: Retry(f.upTo(5)), RetryBaseMillis: uint32(f.upTo(3)) * 700, ExpiredDead: f.upTo(2) == 1,
		TTLMillis: f.upTo(3) * 900, Overflow: Overflow(f.upTo(3)),
		Breaker: f.upTo(2) == 1, DispatchRate: uint32(f.upTo(3)), DispatchBurst: uint32(f.upTo(3))}
}

// entry makes an entry of up to eight commands; now and then of raw bytes.
func (f *feed) entry(lease *int64) []byte {
	*lease += int64(f.upTo(16)) * 500
	at := Clock{WallMillis: *lease + 1000, LeaseMillis: *lease}
	if f.upTo(64) == 63 {
		n := min(int(f.byte()), len(f.b))
		raw := f.b[:n]
		f.b = f.b[n:]
		return append(AppendEntryHeader(nil, VersionCurrent, at, int(f.upTo(4))), raw...)
	}
	var commands []byte
	n := int(f.upTo(8))
	for range n {
		commands = Append(commands, f.command())
	}
	return append(AppendEntryHeader(nil, VersionCurrent, at, n), commands...)
}

// prepared is a state in which most commands of a feed find something. What is
// purged and deleted lasts for some entries.
func prepared(t testing.TB) *State {
	s := New(1)
	s.bounds.Reclaim = 2
	var c []byte
	n := 0
	add := func(x Command) { c, n = Append(c, x), n+1 }
	for i, name := range []string{"a", "b", "c"} {
		id := sessionID(name)
		add(&Open{Session: id})
		add(&Attach{Session: id, Epoch: 1, Node: "n"})
		if i == 0 {
			add(&QueueCreate{OpHeader: OpHeader{Session: id, Epoch: 1, Number: 1}, Queue: "q",
				Settings: Settings{Fair: true, GroupFailure: GroupDead, GroupBatch: 2, StarvationGuard: 2, FailureLimit: 2, DLQMessages: 2, LeaseMillis: 1000}})
			add(&TopicCreate{OpHeader: OpHeader{Session: id, Epoch: 1, Number: 4}, Topic: "t"})
			add(&Subscribe{OpHeader: OpHeader{Session: id, Epoch: 1, Number: 5}, Topic: "t", Queue: "r", Filter: ">", Session: true})
			add(&Publish{OpHeader: OpHeader{Session: id, Epoch: 1, Number: 6}, Queue: "t", Count: 2, Records: testRecords(2, 10)})
		}
		add(&Consume{OpHeader: OpHeader{Session: id, Epoch: 1, Number: 2}, Queue: "q", Consumer: 1, CreditMessages: 3, NoAck: i == 2})
		add(&Publish{OpHeader: OpHeader{Session: id, Epoch: 1, Number: 3}, Queue: "q", Count: 4,
			Records: recordsOfKind(4, 10, record.Message{GroupKey: []string{"", "x", "y"}[i]})})
	}
	if _, err := s.Apply(1, append(AppendEntryHeader(nil, 1, Clock{}, n), c...)); err != nil {
		t.Fatal(err)
	}
	return s
}

func copyOf(t testing.TB, s *State) *State {
	var b bytes.Buffer
	p := s.Snapshot()
	defer p.Release()
	if _, err := p.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	c, err := Restore(&b)
	if err != nil {
		t.Fatal(err)
	}
	c.SetBounds(s.bounds)
	return c
}

// FuzzApplyTwoReplicas applies the same entries to two replicas, one of which
// goes through a snapshot before each. Nothing panics, every invariant holds,
// and they agree in errors, digest and hash.
func FuzzApplyTwoReplicas(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz"))
	for seed := range 24 {
		b := make([]byte, 900)
		x := uint32(seed)*2654435761 + 1
		for i := range b {
			x ^= x << 13
			x ^= x >> 17
			x ^= x << 5
			b[i] = byte(x >> 11)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		in := &feed{b: data}
		s := prepared(t)
		replica := copyOf(t, s)
		var lease int64
		for len(in.b) > 0 {
			entry := in.entry(&lease)
			replica = copyOf(t, replica)
			_, err := s.Apply(s.Index()+1, entry)
			_, other := replica.Apply(replica.Index()+1, slices.Clone(entry))
			if (err == nil) != (other == nil) {
				t.Fatal(err, other)
			}
			if err != nil {
				return // the node stops
			}
			if err := s.Check(); err != nil {
				t.Fatal(err)
			}
			if s.Digest() != replica.Digest() {
				t.Fatal("digests differ")
			}
		}
		if s.Hash() != replica.Hash() {
			t.Fatal("hashes differ")
		}
	})
}

// FuzzEntryDecode decodes arbitrary bytes. What decodes encodes to something
// that decodes alike, and Apply takes it or refuses it without a panic.
func FuzzEntryDecode(f *testing.F) {
	in := &feed{b: bytes.Repeat([]byte("The quick brown fox jumps over the lazy dog"), 40)}
	var lease int64
	for range 20 {
		f.Add(in.entry(&lease))
	}
	f.Add([]byte{1, 0, 1})
	f.Fuzz(func(t *testing.T, entry []byte) {
		h, commands, err := DecodeEntry(entry)
		if err == nil {
			b := AppendEntryHeader(nil, h.Version, h.Clock, len(commands))
			for _, c := range commands {
				b = Append(b, c)
			}
			h2, again, err := DecodeEntry(b)
			if err != nil || h2 != h || len(again) != len(commands) {
				t.Fatalf("encoded anew: %v", err)
			}
		}
		s := prepared(t)
		if _, applied := s.Apply(2, entry); applied == nil {
			if err != nil {
				t.Fatalf("applied, but not decoded: %v", err)
			}
			if err := s.Check(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func snapshotOf(t testing.TB, s *State) []byte {
	var b bytes.Buffer
	if _, err := s.Snapshot().WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// FuzzSnapshotRestore restores arbitrary bytes: an error, or a state that is
// whole, goes on, and has the same bytes again.
func FuzzSnapshotRestore(f *testing.F) {
	for _, n := range []int{0, 40, 400} {
		s := New(3)
		if n > 0 {
			s = prepared(f)
		}
		in := &feed{b: bytes.Repeat([]byte("Pack my box with five dozen liquor jugs"), n/39)}
		var lease int64
		for len(in.b) > 0 {
			if _, err := s.Apply(s.Index()+1, in.entry(&lease)); err != nil {
				f.Fatal(err)
			}
		}
		f.Add(snapshotOf(f, s))
	}
	f.Add(snapshotOf(f, withJunk(f).s))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := Restore(bytes.NewReader(fixSums(data)))
		if err != nil {
			return
		}
		before := s.Hash()
		if copyOf(t, s).Hash() != before {
			t.Fatal("restored again, it differs")
		}
		in := &feed{b: data}
		lease := s.Clock().LeaseMillis
		for range 4 {
			if _, err := s.Apply(s.Index()+1, in.entry(&lease)); err != nil {
				return
			}
			if err := s.Check(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// fixSums makes the checksums right, so that the fuzzer gets behind them.
func fixSums(data []byte) []byte {
	b := slices.Clone(data)
	for at := len(snapshotMagic) + 2; at+frameHead <= len(b); {
		n := int(uint32(b[at+1])<<24 | uint32(b[at+2])<<16 | uint32(b[at+3])<<8 | uint32(b[at+4]))
		if n > len(b)-at-frameHead {
			break
		}
		frame := b[at : at+frameHead+n]
		sum := frameSum(frame)
		frame[5], frame[6], frame[7], frame[8] = byte(sum>>24), byte(sum>>16), byte(sum>>8), byte(sum)
		at += frameHead + n
	}
	return b
}
