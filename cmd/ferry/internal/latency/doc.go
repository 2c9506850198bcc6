// Package latency collects durations and tells their percentiles. It knows
// nothing of what was measured. All of it is in latency.go.
package latency
