package fsm

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/ferrymq/ferrymq/fsm/record"
)

// BenchmarkWorstExplain explains a subscription of a topic that has as many as
// there may be, which are required, drop their oldest and are full, and reports
// for how long the state was held at least and at most. Run it with -benchtime 20x.
func BenchmarkWorstExplain(b *testing.B) {
	for _, c := range []struct {
		name     string
		each     int // messages of each
		many     int // more of the first six
		ofGroups bool
		overflow Overflow
	}{
		{"look-far", 1, 2 * roomMax, false, OverflowDropOldest},
		{"look-far-groups", 1, 2 * roomMax, true, OverflowDropOldest},
		{"look-often", 1, 0, false, OverflowDropOldest},
		{"look-at-none", 1, 0, false, OverflowReject},
	} {
		b.Run(c.name, func(b *testing.B) {
			x := newBench(b, 8, false)
			x.apply(b, AppendTopicCreate(nil, &TopicCreate{OpHeader: x.header(), Topic: "t"}), 1)
			subscriptions(MaxSubscriptions, func(name string) {
				x.apply(b, AppendSubscribe(nil, &Subscribe{OpHeader: x.header(), Topic: "t", Queue: name, Filter: ">", Required: true}), 1)
			})
			x.fill(b, "t", c.each, record.Message{})
			subscriptions(6, func(name string) {
				if c.ofGroups {
					x.ownGroups(b, name, c.many)
				} else {
					x.fill(b, name, c.many, record.Message{})
				}
			})
			subscriptions(MaxSubscriptions, func(name string) {
				info, _ := x.s.Queue(name)
				x.apply(b, AppendQueueUpdate(nil, &QueueUpdate{OpHeader: x.header(), Queue: name,
					Settings: Settings{Overflow: c.overflow, MaxBytes: info.Bytes}}), 1)
			})
			x.explain(b, "s0")
		})
	}
}

func subscriptions(n int, f func(name string)) {
	for i := range n {
		f(fmt.Sprint("s", i))
	}
}

// ownGroups publishes messages of 8 bytes, each of a group of its own.
func (x *bench) ownGroups(b *testing.B, queue string, count int) {
	for from := 0; from < count; from += MaxItems {
		n := min(MaxItems, count-from)
		var records []byte
		for i := range n {
			records = append(records, recordsOfKind(1, 8, record.Message{GroupKey: fmt.Sprint("g", from+i)})...)
		}
		x.apply(b, AppendPublish(nil, &Publish{OpHeader: x.header(), Queue: queue, Count: uint32(n), Records: records}), 1)
	}
}

func (x *bench) explain(b *testing.B, queue string) {
	var took []time.Duration
	for b.Loop() {
		start := time.Now()
		if _, ok := x.s.Explain(queue, MaxMessageBytes); !ok {
			b.Fatal("no queue")
		}
		took = append(took, time.Since(start))
	}
	b.ReportMetric(float64(slices.Min(took).Microseconds())/1000, "ms/least")
	b.ReportMetric(float64(slices.Max(took).Microseconds())/1000, "ms/most")
}
