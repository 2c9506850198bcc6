package fsm

import (
	"slices"
	"testing"

	"github.com/ferrymq/ferrymq/fsm/record"
	"github.com/ferrymq/ferrymq/transport/wire"
)

// bench drives one session that publishes and settles through entries.
type bench struct {
	s      *State
	id     SessionID
	number uint64
	body   []byte
	items  []SettleItem
}

func newBench(tb testing.TB, size int, consume bool) *bench {
	b := &bench{s: New(1), id: sessionID("bench")}
	r, err := record.Append(nil, &record.Message{Body: make([]byte, size)})
	if err != nil {
		tb.Fatal(err)
	}
	b.body = wire.AppendBytes(nil, r)
	c := AppendOpen(nil, &Open{Session: b.id})
	c = AppendAttach(c, &Attach{Session: b.id, Epoch: 1, Node: "n"})
	c = AppendQueueCreate(c, &QueueCreate{OpHeader: b.header(), Queue: "q"})
	n := 3
	if consume {
		c = AppendConsume(c, &Consume{OpHeader: b.header(), Queue: "q", CreditMessages: 1024, CreditBytes: 64 << 20, Concurrency: 8})
		n++
	}
	b.apply(tb, c, n)
	return b
}

func (b *bench) header() OpHeader {
	b.number++
	return OpHeader{Session: b.id, Epoch: 1, Number: b.number, AnsweredThrough: b.number - 1}
}

func (b *bench) apply(tb testing.TB, commands []byte, n int) Applied {
	entry := append(AppendEntryHeader(make([]byte, 0, EntryHeaderSize+len(commands)), 1, Clock{WallMillis: int64(b.number)}, n), commands...)
	a, err := b.s.Apply(b.s.Index()+1, entry)
	if err != nil {
		tb.Fatal(err)
	}
	return a
}

// round publishes operations of perOp messages and settles in frames of perOp
// what the entry before delivered.
func (b *bench) round(tb testing.TB, commands []byte, ops, perOp int) []byte {
	commands = commands[:0]
	n := 0
	records := slices.Repeat(b.body, perOp)
	for range ops {
		commands = AppendPublish(commands, &Publish{OpHeader: b.header(), Queue: "q", Count: uint32(perOp), Records: records})
		n++
	}
	for items := b.items; len(items) > 0; n++ {
		k := min(perOp, len(items))
		commands = AppendSettle(commands, &Settle{OpHeader: b.header(), Items: items[:k]})
		items = items[k:]
	}
	a := b.apply(tb, commands, n)
	b.items = b.items[:0]
	for i := range a.Effects {
		e := &a.Effects[i]
		b.items = append(b.items, SettleItem{Incarnation: e.Incarnation, Place: e.Place, Token: e.Token, Action: ActionAck})
	}
	return commands
}

// BenchmarkPublishDeliverAck is the plain case, 1 KiB, 128 messages an entry:
// one message and settle an operation, or 16. Encoding the commands is a part
// of the time.
func BenchmarkPublishDeliverAck(b *testing.B) {
	for _, c := range []struct {
		name       string
		ops, perOp int
	}{{"single", 128, 1}, {"frames16", 8, 16}} {
		b.Run(c.name, func(b *testing.B) {
			x := newBench(b, 1024, true)
			var buf []byte
			b.ReportAllocs()
			for i := 0; i < b.N; i += c.ops * c.perOp {
				buf = x.round(b, buf, c.ops, c.perOp)
			}
		})
	}
}

// BenchmarkPublish is a backlog that only grows.
func BenchmarkPublish(b *testing.B) {
	x := newBench(b, 1024, false)
	var buf []byte
	b.ReportAllocs()
	for i := 0; i < b.N; i += 128 {
		buf = x.round(b, buf, 8, 16)
	}
}

// BenchmarkSnapshot pins a state of many messages, and changes it after.
func BenchmarkSnapshot(b *testing.B) {
	x := newBench(b, 1, false)
	var buf []byte
	for range 1 << 10 {
		buf = x.round(b, buf, 1, 256)
	}
	b.ResetTimer()
	for range b.N {
		x.s.Snapshot().Release()
		buf = x.round(b, buf, 1, 1)
	}
}
