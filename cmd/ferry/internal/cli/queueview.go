package cli

import (
	"strconv"

	"github.com/ferrymq/ferrymq/client"
)

// queueView is a queue as JSON for programs.
type queueView struct {
	Name         string      `json:"name"`
	Incarnation  uint64      `json:"incarnation"`
	Paused       bool        `json:"paused"`
	Ready        uint64      `json:"ready"`
	Leased       uint64      `json:"leased"`
	Scheduled    uint64      `json:"scheduled"`
	Retrying     uint64      `json:"retrying"`
	Parked       uint64      `json:"parked"`
	Bytes        uint64      `json:"bytes"`
	Consumers    int         `json:"consumers"`
	Published    uint64      `json:"published"`
	Acked        uint64      `json:"acked"`
	Dead         uint64      `json:"dead"`
	Purged       uint64      `json:"purged"`
	Expired      uint64      `json:"expired"`
	Overflowed   uint64      `json:"overflowed"`
	Missed       uint64      `json:"missed"`
	Duplicates   uint64      `json:"duplicates"`
	Groups       uint64      `json:"groups"`
	GroupsParked uint64      `json:"groups_parked"`
	DedupIDs     uint64      `json:"dedup_ids"`
	DeadLetter   string      `json:"dead_letter_queue"`
	OldestReady  string      `json:"oldest_ready,omitempty"` // RFC 3339
	Breaker      breakerView `json:"breaker"`
	settingsView
	TenantWeights map[string]int    `json:"tenant_weights,omitempty"` // above 1; told of one queue, not in lists
	Subscription  *subscriptionView `json:"subscription,omitempty"`
}

// settingsView is a queue's settings, durations in milliseconds.
type settingsView struct {
	MaxMessages     uint64 `json:"max_messages"`
	MaxBytes        uint64 `json:"max_bytes"`
	Overflow        string `json:"overflow"`
	FailureLimit    int    `json:"failure_limit"` // -1: unlimited
	LeaseMillis     int64  `json:"lease_ms"`
	DLQMessages     uint64 `json:"dlq_max_messages"`
	DLQBytes        uint64 `json:"dlq_max_bytes"`
	TTLMillis       int64  `json:"ttl_ms"`
	ExpiredToDLQ    bool   `json:"expired_to_dlq"`
	Retry           string `json:"retry"`
	RetryBaseMillis int64  `json:"retry_base_ms"`
	RetryMaxMillis  int64  `json:"retry_max_ms"`
	RetryFactor     int    `json:"retry_factor"`
	StarvationGuard int    `json:"starvation_guard"` // -1: off
	GroupFailure    string `json:"group_failure"`
	GroupBatch      int    `json:"group_batch"`
	Exclusive       bool   `json:"exclusive"`
	Fair            bool   `json:"fair"`
	DedupMillis     int64  `json:"dedup_window_ms"`
	DedupCapacity   int    `json:"dedup_capacity"`
	DispatchRate    int    `json:"dispatch_rate"`
	DispatchBurst   int    `json:"dispatch_burst"`
}

// subscriptionView is what a subscription has beyond a queue.
type subscriptionView struct {
	Topic    string `json:"topic"`
	Filter   string `json:"filter"`
	Required bool   `json:"required"`
	Session  bool   `json:"session"`
}

func viewQueue(q client.QueueInfo) queueView {
	v := queueView{
		Name: q.Name, Incarnation: q.Incarnation, Paused: q.Paused,
		Ready: q.Ready, Leased: q.Leased, Scheduled: q.Scheduled, Retrying: q.Retrying, Parked: q.Parked,
		Bytes: q.Bytes, Consumers: q.Consumers,
		Published: q.Published, Acked: q.Acked, Dead: q.Dead, Purged: q.Purged,
		Expired: q.Expired, Overflowed: q.Overflowed, Missed: q.Missed, Duplicates: q.Duplicates,
		Groups: q.Groups, GroupsParked: q.GroupsParked, DedupIDs: q.DedupIDs,
		DeadLetter: q.DeadLetter, OldestReady: timeText(q.OldestReady),
		Breaker: viewBreaker(q.Breaker), settingsView: viewSettings(q.Settings),
	}
	if q.Topic != "" {
		v.Subscription = &subscriptionView{Topic: q.Topic, Filter: q.Filter, Required: q.Required, Session: q.Session}
	}
	return v
}

func viewSettings(s client.QueueSettings) settingsView {
	return settingsView{
		MaxMessages: s.MaxMessages, MaxBytes: s.MaxBytes, Overflow: wordOf(overflowWords, s.Overflow),
		FailureLimit: s.FailureLimit, LeaseMillis: s.Lease.Milliseconds(),
		DLQMessages: s.DLQMessages, DLQBytes: s.DLQBytes,
		TTLMillis: s.TTL.Milliseconds(), ExpiredToDLQ: s.ExpiredDead,
		Retry: wordOf(retryWords, s.Retry.Kind), RetryBaseMillis: s.Retry.Base.Milliseconds(),
		RetryMaxMillis: s.Retry.Max.Milliseconds(), RetryFactor: s.Retry.Factor,
		StarvationGuard: s.StarvationGuard, GroupFailure: wordOf(groupFailureWords, s.GroupFailure),
		GroupBatch: s.GroupBatch, Exclusive: s.Exclusive, Fair: s.Fair,
		DedupMillis: s.Dedup.Milliseconds(), DedupCapacity: s.DedupCapacity,
		DispatchRate: s.DispatchRate, DispatchBurst: s.DispatchBurst,
	}
}

// wordOf is the word of a number, or the number of one that a later version
// has.
func wordOf[T ~uint8](all []string, n T) string {
	if int(n) < len(all) {
		return all[n]
	}
	return strconv.Itoa(int(n))
}

// state in one word or two, the one that stops the queue first.
func (q queueView) state() string {
	switch {
	case q.Paused:
		return "paused"
	case q.Breaker.State == client.BreakerOpen.String():
		return "breaker open"
	}
	return "running"
}
