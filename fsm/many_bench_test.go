package fsm

import (
	"fmt"
	"io"
	"runtime"
	"testing"
	"time"
)

// BenchmarkManyQueues makes 100,000 queues, each with its dead-letter queue,
// in one group: the memory that a pair takes, and the time to make all, to list
// all, and to write a snapshot of all.
func BenchmarkManyQueues(b *testing.B) {
	const pairs = 100_000
	for range b.N {
		x := newBench(b, 1, false)
		before := heap()
		start := time.Now()
		var commands []byte
		for i := 0; i < pairs; i += 500 {
			commands = commands[:0]
			for k := range 500 {
				commands = AppendQueueCreate(commands, &QueueCreate{OpHeader: x.header(), Queue: fmt.Sprintf("queue-%06d", i+k)})
			}
			x.apply(b, commands, 500)
		}
		b.ReportMetric(float64(time.Since(start).Milliseconds()), "create-ms")
		b.ReportMetric(float64(heap()-before)/pairs, "B/pair")

		start = time.Now()
		n, after := 0, ""
		for more := true; more; {
			var page []QueueInfo
			page, more = x.s.Queues("", after, 1000)
			n, after = n+len(page), page[len(page)-1].Name
		}
		if n != 2*pairs+2 {
			b.Fatal(n)
		}
		b.ReportMetric(float64(time.Since(start).Milliseconds()), "list-ms")

		start = time.Now()
		p := x.s.Snapshot()
		if _, err := p.WriteTo(io.Discard); err != nil {
			b.Fatal(err)
		}
		p.Release()
		b.ReportMetric(float64(time.Since(start).Milliseconds()), "snapshot-ms")
		runtime.KeepAlive(x)
	}
}
