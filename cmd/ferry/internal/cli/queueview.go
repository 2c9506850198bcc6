package cli

import (
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/ferrymq/ferrymq/client"
)

// queueView is a queue as JSON for programs.
type queueView struct {
	Name         string `json:"name"`
	Incarnation  uint64 `json:"incarnation"`
	Paused       bool   `json:"paused"`
	Ready        uint64 `json:"ready"`
	Leased       uint64 `json:"leased"`
	Parked       uint64 `json:"parked"`
	Bytes        uint64 `json:"bytes"`
	Consumers    int    `json:"consumers"`
	Published    uint64 `json:"published"`
	Acked        uint64 `json:"acked"`
	Dead         uint64 `json:"dead"`
	Purged       uint64 `json:"purged"`
	DeadLetter   string `json:"dead_letter_queue"`
	OldestReady  string `json:"oldest_ready,omitempty"` // RFC 3339
	MaxMessages  uint64 `json:"max_messages"`
	MaxBytes     uint64 `json:"max_bytes"`
	FailureLimit int    `json:"failure_limit"` // -1: unlimited
	LeaseMillis  int64  `json:"lease_ms"`
	DLQMessages  uint64 `json:"dlq_max_messages"`
	DLQBytes     uint64 `json:"dlq_max_bytes"`
}

func viewQueue(q client.QueueInfo) queueView {
	v := queueView{
		Name: q.Name, Incarnation: q.Incarnation, Paused: q.Paused,
		Ready: q.Ready, Leased: q.Leased, Parked: q.Parked, Bytes: q.Bytes, Consumers: q.Consumers,
		Published: q.Published, Acked: q.Acked, Dead: q.Dead, Purged: q.Purged, DeadLetter: q.DeadLetter,
		MaxMessages: q.Settings.MaxMessages, MaxBytes: q.Settings.MaxBytes,
		FailureLimit: q.Settings.FailureLimit, LeaseMillis: q.Settings.Lease.Milliseconds(),
		DLQMessages: q.Settings.DLQMessages, DLQBytes: q.Settings.DLQBytes,
	}
	if !q.OldestReady.IsZero() {
		v.OldestReady = q.OldestReady.UTC().Format(time.RFC3339Nano)
	}
	return v
}

func (q queueView) state() string {
	if q.Paused {
		return "paused"
	}
	return "running"
}

func (q queueView) print(w io.Writer) error {
	return fields(w,
		"Name", q.Name,
		"State", q.state(),
		"Ready", count(q.Ready),
		"Leased", count(q.Leased),
		"Parked", count(q.Parked),
		"Bytes", bytesText(q.Bytes),
		"Consumers", strconv.Itoa(q.Consumers),
		"Oldest ready", orNone(q.OldestReady),
		"Published", count(q.Published),
		"Acked", count(q.Acked),
		"Dead-lettered", count(q.Dead),
		"Purged", count(q.Purged),
		"Dead-letter queue", orNone(q.DeadLetter),
		"Limits", limits(q.MaxMessages, q.MaxBytes),
		"Limits of the dead-letter queue", limits(q.DLQMessages, q.DLQBytes),
		"Failure limit", failureText(q.FailureLimit),
		"Lease", (time.Duration(q.LeaseMillis) * time.Millisecond).String(),
	)
}

func count(n uint64) string { return strconv.FormatUint(n, 10) }

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

func limits(messages, bytes uint64) string {
	m, b := "any number of messages", "any number of bytes"
	if messages != 0 {
		m = fmt.Sprintf("%d messages", messages)
	}
	if bytes != 0 {
		b = bytesText(bytes)
	}
	return m + ", " + b
}

func failureText(limit int) string {
	if limit == client.FailureLimitUnlimited {
		return unlimited
	}
	return strconv.Itoa(limit)
}
