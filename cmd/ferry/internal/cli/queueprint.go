package cli

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/ferrymq/ferrymq/client"
)

// A queue for people: what is in it, what happened to it, what it is set to.

func (q queueView) print(w io.Writer) error {
	pairs := []string{"Name", q.Name}
	if s := q.Subscription; s != nil {
		pairs = append(pairs, "Subscription", s.text())
	}
	pairs = append(pairs,
		"State", q.state(),
		"Ready", count(q.Ready),
		"Leased", count(q.Leased),
		"Scheduled", count(q.Scheduled),
		"Retrying", count(q.Retrying),
		"Parked", count(q.Parked),
		"Groups", fmt.Sprintf("%d, %d parked", q.Groups, q.GroupsParked),
		"Bytes", bytesText(q.Bytes),
		"Consumers", strconv.Itoa(q.Consumers),
		"Oldest ready", orNone(q.OldestReady),
		"Breaker", q.Breaker.text(),
		"Published", count(q.Published),
		"Acked", count(q.Acked),
		"Dead-lettered", count(q.Dead),
		"Purged", count(q.Purged),
		"Expired", count(q.Expired),
		"Overflowed", count(q.Overflowed),
		"Duplicates", count(q.Duplicates),
	)
	if q.Subscription != nil {
		pairs = append(pairs, "Missed", count(q.Missed))
	}
	pairs = append(pairs, "Dead-letter queue", orNone(q.DeadLetter))
	return fields(w, append(pairs, q.settings()...)...)
}

func (q queueView) settings() []string {
	return []string{
		"Limits", limits(q.MaxMessages, q.MaxBytes) + "; when full: " + q.Overflow,
		"Limits of the dead-letter queue", limits(q.DLQMessages, q.DLQBytes),
		"Failure limit", failureText(q.FailureLimit),
		"Lease", millisText(q.LeaseMillis),
		"Time to live", q.ttlText(),
		"Retry", q.retryText(),
		"Priorities", q.guardText(),
		"Message groups", fmt.Sprintf("on failure: %s; at a time: %d", q.GroupFailure, q.GroupBatch),
		"Consumers at a time", q.exclusiveText(),
		"Tenants", q.tenantsText(),
		"Window of message ids", q.dedupText(q.DedupIDs),
		"Dispatch rate", q.rateText(),
	}
}

func (s subscriptionView) text() string {
	text := fmt.Sprintf("of topic %s, filter %s", s.Topic, s.Filter)
	if s.Required {
		text += ", required"
	}
	if s.Session {
		text += ", until its session ends"
	}
	return text
}

func (s settingsView) ttlText() string {
	switch {
	case s.TTLMillis == 0 && s.ExpiredToDLQ:
		return "none; what expires is dead-lettered"
	case s.TTLMillis == 0:
		return "none"
	case s.ExpiredToDLQ:
		return millisText(s.TTLMillis) + ", then dead-lettered"
	}
	return millisText(s.TTLMillis) + ", then dropped"
}

func (s settingsView) retryText() string {
	base, most := millisText(s.RetryBaseMillis), millisText(s.RetryMaxMillis)
	switch s.Retry {
	case client.RetryImmediate.String():
		return s.Retry
	case client.RetryFixed.String():
		return s.Retry + ": " + base
	case client.RetryExponential.String():
		return fmt.Sprintf("%s: %s, each %d times the one before, at most %s", s.Retry, base, s.RetryFactor, most)
	}
	return fmt.Sprintf("%s: %s, at most %s", s.Retry, base, most)
}

func (s settingsView) guardText() string {
	if s.StarvationGuard == client.StarvationGuardOff {
		return "lower ones wait for as long as there are higher ones"
	}
	return fmt.Sprintf("a lower one every %d messages", s.StarvationGuard)
}

func (s settingsView) exclusiveText() string {
	if s.Exclusive {
		return "1"
	}
	return "any number"
}

// weightsShown is how many weights are told to people; JSON has all.
const weightsShown = 8

func (q queueView) tenantsText() string {
	if !q.Fair {
		return "not told apart"
	}
	text := "take turns"
	for i, name := range slices.Sorted(maps.Keys(q.TenantWeights)) {
		if i == weightsShown {
			return text + fmt.Sprintf(", %d more", len(q.TenantWeights)-i)
		}
		between := ", "
		if i == 0 {
			between = ", by weight: "
		}
		text += fmt.Sprintf("%s%s %d", between, tenantText(name), q.TenantWeights[name])
	}
	return text
}

func tenantText(name string) string {
	if name == "" {
		return "(none)"
	}
	return plainText(name)
}

func (s settingsView) dedupText(ids uint64) string {
	if s.DedupMillis == 0 {
		return "none"
	}
	return fmt.Sprintf("%s, %d of %d ids", millisText(s.DedupMillis), ids, s.DedupCapacity)
}

func (s settingsView) rateText() string {
	if s.DispatchRate == 0 {
		return unlimited
	}
	return fmt.Sprintf("%d messages a second, %d at once", s.DispatchRate, s.DispatchBurst)
}

func millisText(ms int64) string { return (time.Duration(ms) * time.Millisecond).String() }

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
