package check

import (
	"testing"

	"github.com/ferrymq/ferrymq/jepsen/history"
)

// BenchmarkCheckers judges a history of 300,000 messages, about a million
// operations.
func BenchmarkCheckers(b *testing.B) {
	run := orderly(300_000)
	for _, c := range []Checker{
		accounting(), conservation(), automata(), FIFO{Workload: "w"}, ProducerOrder{Workload: "w"},
		AtMostOnce{Workload: "w", LossMax: func(*history.Run) int64 { return 0 }}, OperationNumbers{Workload: "w"}, Liveness{},
	} {
		b.Run(c.Name(), func(b *testing.B) {
			for b.Loop() {
				c.Check(run)
			}
			b.ReportMetric(float64(len(run.Ops)), "ops")
		})
	}
}
