package client

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/ferrymq/ferrymq/transport"
)

const (
	// FailureLimitUnlimited as a queue's failure limit never dead-letters.
	FailureLimitUnlimited = int(transport.FailureLimitUnlimited)
	// StarvationGuardOff as a queue's starvation guard lets lower priorities
	// wait for as long as there are higher ones.
	StarvationGuardOff = int(transport.StarvationGuardOff)
)

// Overflow is what a full queue does with a new message.
type Overflow uint8

const (
	OverflowReject     = Overflow(transport.OverflowReject)     // ErrBusy
	OverflowDropOldest = Overflow(transport.OverflowDropOldest) // the oldest that nobody holds are dead-lettered
	OverflowDropNew    = Overflow(transport.OverflowDropNew)    // it is dropped, and confirmed as such
)

func (o Overflow) String() string {
	return nameOf(o, "reject", "drop-oldest", "drop-new")
}

// RetryKind is the shape of the delays between attempts.
type RetryKind uint8

const (
	RetryExponential = RetryKind(transport.RetryExponential) // base, base*factor, base*factor^2, ...
	RetryFixed       = RetryKind(transport.RetryFixed)       // base each time
	RetryLinear      = RetryKind(transport.RetryLinear)      // base, 2*base, 3*base, ...
	RetryImmediate   = RetryKind(transport.RetryImmediate)   // none
)

func (k RetryKind) String() string {
	return nameOf(k, "exponential", "fixed", "linear", "immediate")
}

// RetryPolicy says how long a message waits after a failed attempt. Up to a
// quarter of the delay is taken off at random, the same on every node.
type RetryPolicy struct {
	Kind   RetryKind
	Base   time.Duration // 0: 1 s; up to 24 h
	Max    time.Duration // 0: 5 min; up to 24 h
	Factor int           // of RetryExponential; 0: 2
}

// GroupFailure is what becomes of a message group when its head fails.
type GroupFailure uint8

const (
	GroupBlock = GroupFailure(transport.GroupBlock) // the rest waits for its retries; when it is dead-lettered, the rest goes on
	GroupPark  = GroupFailure(transport.GroupPark)  // as GroupBlock, but then the group, with what comes later, is held until ResumeGroup or PurgeQueue
	GroupDead  = GroupFailure(transport.GroupDead)  // as GroupBlock, but then the rest follows it
	GroupSkip  = GroupFailure(transport.GroupSkip)  // the rest goes on while it waits for its retry
)

func (g GroupFailure) String() string {
	return nameOf(g, "block", "park", "dead", "skip")
}

func nameOf[T ~uint8](n T, names ...string) string {
	if int(n) < len(names) {
		return names[n]
	}
	return strconv.Itoa(int(n))
}

// QueueSettings of a queue. Zero is the default. Durations are kept in
// milliseconds.
type QueueSettings struct {
	MaxMessages  uint64 // 0: unlimited
	MaxBytes     uint64 // 0: unlimited; logical bytes, body and headers; a message of more is ErrTooLarge
	Overflow     Overflow
	FailureLimit int           // 0: 10; FailureLimitUnlimited
	Lease        time.Duration // 0: 60 s; 1 s to 24 h
	DLQMessages  uint64        // 0: unlimited; the limit of the dead-letter queue
	DLQBytes     uint64        // 0: unlimited

	TTL         time.Duration // 0: messages do not expire; up to ten years
	ExpiredDead bool          // what expires is dead-lettered; else it is dropped
	Retry       RetryPolicy

	StarvationGuard int // every so many hand-outs a lower priority is served; 0: 20; StarvationGuardOff
	GroupFailure    GroupFailure
	GroupBatch      int  // messages of a group leased at a time; 0: 1; up to 1,000
	Exclusive       bool // one consumer at a time
	Fair            bool // tenants take turns

	Dedup         time.Duration // window of message ids; 0: none; 1 s to 7 d
	DedupCapacity int           // ids in it at most, required with a window

	Breaker       bool // a circuit breaker stops hand-outs while most attempts fail
	DispatchRate  int  // messages a second; 0: unlimited
	DispatchBurst int  // 0: a tenth of the rate, at least 1
}

// TopicSettings of a topic. Zero is the default.
type TopicSettings struct {
	Dedup         time.Duration // as of a queue; judged once, before the subscriptions
	DedupCapacity int
}

func (s QueueSettings) wire() (transport.QueueSettings, error) {
	var bad badSetting
	w := transport.QueueSettings{
		MaxMessages: s.MaxMessages, MaxBytes: s.MaxBytes, Overflow: transport.Overflow(s.Overflow),
		FailureLimit: bad.int32("failure limit", s.FailureLimit, FailureLimitUnlimited),
		LeaseMs:      bad.millis("lease", s.Lease, MinLease, MaxLease),
		DLQMessages:  s.DLQMessages, DLQBytes: s.DLQBytes,
		TTLMs: bad.millis64("TTL", s.TTL, time.Millisecond, MaxTTL), ExpiredDead: s.ExpiredDead,
		Retry:           transport.Retry(s.Retry.Kind),
		RetryBaseMs:     bad.millis("retry base", s.Retry.Base, time.Millisecond, MaxRetryDelay),
		RetryMaxMs:      bad.millis("longest retry", s.Retry.Max, time.Millisecond, MaxRetryDelay),
		RetryFactor:     bad.uint32("retry factor", s.Retry.Factor, math.MaxUint32),
		StarvationGuard: bad.int32("starvation guard", s.StarvationGuard, StarvationGuardOff),
		GroupFailure:    transport.GroupFailure(s.GroupFailure),
		GroupBatch:      bad.uint32("group batch", s.GroupBatch, MaxGroupBatch),
		Exclusive:       s.Exclusive, Fair: s.Fair,
		DedupMs:       bad.millis("window of message ids", s.Dedup, MinDedup, MaxDedup),
		DedupCapacity: bad.uint32("capacity of the window", s.DedupCapacity, MaxDedupCapacity),
		Breaker:       s.Breaker,
		DispatchRate:  bad.uint32("dispatch rate", s.DispatchRate, math.MaxUint32),
		DispatchBurst: bad.uint32("dispatch burst", s.DispatchBurst, math.MaxUint32),
	}
	return w, bad.err()
}

func (s TopicSettings) wire() (transport.TopicSettings, error) {
	var bad badSetting
	w := transport.TopicSettings{
		DedupMs:       bad.millis("window of message ids", s.Dedup, MinDedup, MaxDedup),
		DedupCapacity: bad.uint32("capacity of the window", s.DedupCapacity, MaxDedupCapacity),
	}
	return w, bad.err()
}

// badSetting is the first one that cannot be put in a frame; the rest is for
// the group to judge.
type badSetting struct{ detail string }

func (b *badSetting) err() error {
	if b.detail == "" {
		return nil
	}
	return localError(transport.CodeInvalid, "settings", "", b.detail, nil)
}

func (b *badSetting) check(ok bool, format string, args ...any) {
	if !ok && b.detail == "" {
		b.detail = fmt.Sprintf(format, args...)
	}
}

func (b *badSetting) millis64(what string, d, least, most time.Duration) uint64 {
	b.check(d == 0 || d >= least && d <= most, "%s %v: %v to %v are possible", what, d, least, most)
	return uint64(roundUp(d))
}

func (b *badSetting) millis(what string, d, least, most time.Duration) uint32 {
	return uint32(b.millis64(what, d, least, most)) // most fits
}

func (b *badSetting) uint32(what string, n, most int) uint32 {
	b.check(n >= 0 && n <= most, "%s %d: 0 to %d are possible", what, n, most)
	return uint32(n)
}

func (b *badSetting) int32(what string, n, least int) int32 {
	b.check(n >= least && n <= math.MaxInt32, "%s %d: %d to %d are possible", what, n, least, math.MaxInt32)
	return int32(n)
}

func settingsFrom(s transport.QueueSettings) QueueSettings {
	return QueueSettings{
		MaxMessages: s.MaxMessages, MaxBytes: s.MaxBytes, Overflow: Overflow(s.Overflow),
		FailureLimit: int(s.FailureLimit), Lease: millis(s.LeaseMs),
		DLQMessages: s.DLQMessages, DLQBytes: s.DLQBytes,
		TTL: time.Duration(min(s.TTLMs, maxMillis)) * time.Millisecond, ExpiredDead: s.ExpiredDead,
		Retry: RetryPolicy{
			Kind: RetryKind(s.Retry), Base: millis(s.RetryBaseMs), Max: millis(s.RetryMaxMs),
			Factor: int(s.RetryFactor),
		},
		StarvationGuard: int(s.StarvationGuard),
		GroupFailure:    GroupFailure(s.GroupFailure), GroupBatch: int(s.GroupBatch),
		Exclusive: s.Exclusive, Fair: s.Fair,
		Dedup: millis(s.DedupMs), DedupCapacity: int(s.DedupCapacity), Breaker: s.Breaker,
		DispatchRate: int(s.DispatchRate), DispatchBurst: int(s.DispatchBurst),
	}
}

func millis(ms uint32) time.Duration { return time.Duration(ms) * time.Millisecond }
