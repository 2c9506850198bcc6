package load

import (
	"time"

	"github.com/ferrymq/ferrymq/cmd/ferry/internal/latency"
)

// Result of a run. Latencies are in milliseconds: from the call to the
// confirm, or end to end from the call to the delivery.
type Result struct {
	Workload    string  `json:"workload"`
	Size        int     `json:"size"`
	Connections int     `json:"connections"`
	Seconds     float64 `json:"seconds"`
	Messages    uint64  `json:"messages"`
	Total       uint64  `json:"total"` // the warm-up's messages too
	PerSecond   float64 `json:"per_s"`
	MiBPerSec   float64 `json:"mib_per_s"`
	P50         float64 `json:"p50_ms"`
	P90         float64 `json:"p90_ms"`
	P99         float64 `json:"p99_ms"`
	Max         float64 `json:"max_ms"`
	Errors      uint64  `json:"errors"`
	FirstError  string  `json:"first_error,omitempty"`
}

func (r *Result) fill(messages uint64, took time.Duration, l latency.Set) {
	r.Messages = messages
	r.Seconds = took.Seconds()
	if r.Seconds > 0 {
		r.PerSecond = float64(messages) / r.Seconds
		r.MiBPerSec = r.PerSecond * float64(r.Size) / (1 << 20)
	}
	r.P50, r.P90, r.P99 = l.Millis(50), l.Millis(90), l.Millis(99)
	r.Max = l.MaxMillis()
}
