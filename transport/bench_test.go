package transport

import (
	"bytes"
	"testing"

	"github.com/ferrymq/ferrymq/transport/wire"
)

func benchPublish() Publish {
	var records []byte
	for range 100 {
		records = wire.AppendBytes(records, make([]byte, 1024))
	}
	return Publish{OpHeader: OpHeader{Handle: 1, Number: 1 << 20, AnsweredThrough: 1<<20 - 10}, Queue: "jobs", Count: 100, Records: records}
}

func benchEvents(record int) Events {
	var e Events
	for i := range 100 {
		e.Deliveries = append(e.Deliveries, Delivery{Handle: 1, Consumer: 1, Incarnation: 12, Place: uint64(1<<20 + i), Token: uint64(1<<21 + i),
			Index: 1 << 20, Position: uint32(i), Attempt: 1, LeaseMs: 60000, EnqueuedMs: 1767225600000, Record: make([]byte, record)})
	}
	return e
}

// benchBody measures encoding into a frame and decoding it.
func benchBody(b *testing.B, op Op, body body, empty func() body) {
	frame := AppendFrame(nil, Frame{Op: op, Stream: 7, Payload: body.AppendTo(nil)})
	b.Run("encode", func(b *testing.B) {
		b.SetBytes(int64(len(frame)))
		b.ReportAllocs()
		buf := make([]byte, 0, 2*len(frame))
		for b.Loop() {
			out, start := BeginFrame(buf)
			EndFrame(body.AppendTo(out), start, op, 0, 7)
		}
	})
	b.Run("decode", func(b *testing.B) {
		b.SetBytes(int64(len(frame)))
		b.ReportAllocs()
		r := bytes.NewReader(frame)
		buf := make([]byte, len(frame))
		into := empty()
		for b.Loop() {
			r.Reset(frame)
			f, err := ReadFrame(r, buf, FrameMax)
			if err != nil {
				b.Fatal(err)
			}
			if err := into.Decode(f.Payload); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkPublish100x1K(b *testing.B) {
	p := benchPublish()
	benchBody(b, OpPublish, &p, func() body { return new(Publish) })
}

func BenchmarkEvents100x1K(b *testing.B) {
	e := benchEvents(1024)
	benchBody(b, OpEvents, &e, func() body { return new(Events) })
}

func BenchmarkEvents100Heads(b *testing.B) {
	e := benchEvents(0)
	benchBody(b, OpEvents, &e, func() body { return new(Events) })
}

func BenchmarkResult(b *testing.B) {
	e := Events{Results: []Result{{Stream: 8, Index: 1 << 20, Position: 2}}}
	benchBody(b, OpEvents, &e, func() body { return new(Events) })
}

func BenchmarkSettle100(b *testing.B) {
	s := Settle{OpHeader: sampleHeader, Items: make([]SettleItem, 100)}
	for i := range s.Items {
		s.Items[i] = SettleItem{Incarnation: 12, Place: uint64(1<<20 + i), Token: uint64(1<<21 + i), Action: ActionAck}
	}
	benchBody(b, OpSettle, &s, func() body { return new(Settle) })
}

func BenchmarkCold(b *testing.B) {
	q := QueueCreate{OpHeader: sampleHeader, Queue: "jobs"}
	benchBody(b, OpQueueCreate, &q, func() body { return new(QueueCreate) })
}
