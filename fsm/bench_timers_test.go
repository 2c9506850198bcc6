package fsm

import (
	"runtime"
	"testing"
	"time"

	"github.com/ferrymq/ferrymq/fsm/record"
)

// BenchmarkTimers schedules a million messages over an hour and lets ten
// thousand of them become due at once. It reports the memory of one besides
// its record, and the time for those ten thousand.
func BenchmarkTimers(b *testing.B) {
	const messages, frame, due = 1_000_000, 250, 10_000
	for range b.N {
		x := newBench(b, 1, false)
		before := heap()
		start := x.s.Clock().WallMillis
		var buf []byte
		for n := 0; n < messages; n += frame {
			// Every frame has another time, in no order, and within it all are apart.
			at := start + 10_000_000 + int64(n)*7919%messages*4
			records := recordsOfKind(frame, 1, record.Message{DeliverAtMillis: uint64(at)})
			buf = AppendPublish(buf[:0], &Publish{OpHeader: x.header(), Queue: "q", Count: frame, Records: records})
			x.apply(b, buf, 1)
		}
		b.ReportMetric(float64(heap()-before-x.s.HeldBytes())/messages, "B/timer")
		begin, entries := time.Now(), 0
		wall := start + 10_000_000 + due*4
		for q, _ := x.s.Queue("q"); q.Ready < due; q, _ = x.s.Queue("q") {
			entry := AppendEntryHeader(nil, 1, Clock{WallMillis: wall}, 0)
			if _, err := x.s.Apply(x.s.Index()+1, entry); err != nil {
				b.Fatal(err)
			}
			entries++
		}
		b.ReportMetric(float64(time.Since(begin).Microseconds()), "us/10000-due")
		b.ReportMetric(float64(entries), "entries")
		runtime.KeepAlive(x)
	}
}
