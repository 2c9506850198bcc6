package cli

import (
	"cmp"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/cmd/ferry/internal/config"
)

const (
	unlimited = "unlimited"
	off       = "off"

	defaultRetryBase = time.Second
	defaultRetryMax  = 5 * time.Minute
)

// The words of settings that are one of a few, by number.
var (
	overflowWords     = []string{"reject", "drop-oldest", "drop-new"}
	retryWords        = []string{"exponential", "fixed", "linear", "immediate"}
	groupFailureWords = []string{"block", "park", "dlq-group", "skip"}
)

// settings are the flags that describe a queue. Each knows its place in a
// client.QueueSettings.
type settings struct {
	flags *pflag.FlagSet
	all   []setting
}

type setting struct {
	name string
	set  func(*client.QueueSettings) error
}

func addSettings(c *cobra.Command) *settings {
	f := c.Flags()
	s := &settings{flags: f}
	type q = client.QueueSettings

	plain(s, "max-messages", f.Uint64("max-messages", 0, "messages that the queue holds at most; 0: no limit"), func(q *q) *uint64 { return &q.MaxMessages })
	parsed(s, "max-bytes", f.String("max-bytes", "0", "bytes that it holds at most (like 64MiB); 0: no limit"), parseSize, func(q *q) *uint64 { return &q.MaxBytes })
	parsed(s, "overflow", f.String("overflow", "reject", "what a full queue does with a new message: reject, drop-oldest or drop-new"), oneOf[client.Overflow](overflowWords), func(q *q) *client.Overflow { return &q.Overflow })
	parsed(s, "failure-limit", f.String("failure-limit", "10", "dead-letter a message after so many failures, or unlimited"), parseFailureLimit, func(q *q) *int { return &q.FailureLimit })
	parsed(s, "lease", f.Duration("lease", time.Minute, "how long a consumer has before its message goes to another"), between(client.MinLease, client.MaxLease), func(q *q) *time.Duration { return &q.Lease })
	plain(s, "dlq-max-messages", f.Uint64("dlq-max-messages", 0, "limit of the dead-letter queue; 0: none"), func(q *q) *uint64 { return &q.DLQMessages })
	parsed(s, "dlq-max-bytes", f.String("dlq-max-bytes", "0", "limit of the dead-letter queue; 0: none"), parseSize, func(q *q) *uint64 { return &q.DLQBytes })

	parsed(s, "ttl", f.Duration("ttl", 0, "how long a message may wait before it expires; 0: for ever"), betweenOrZero(time.Millisecond, client.MaxTTL), func(q *q) *time.Duration { return &q.TTL })
	plain(s, "expired-to-dlq", f.Bool("expired-to-dlq", false, "dead-letter what expires, instead of dropping it"), func(q *q) *bool { return &q.ExpiredDead })
	parsed(s, "retry", f.String("retry", "exponential", "how the delays between attempts grow: exponential, linear, fixed or immediate"), oneOf[client.RetryKind](retryWords), func(q *q) *client.RetryKind { return &q.Retry.Kind })
	parsed(s, "retry-base", f.Duration("retry-base", defaultRetryBase, "delay after the first failure"), between(time.Millisecond, client.MaxRetryDelay), func(q *q) *time.Duration { return &q.Retry.Base })
	parsed(s, "retry-max", f.Duration("retry-max", defaultRetryMax, "longest delay"), between(time.Millisecond, client.MaxRetryDelay), func(q *q) *time.Duration { return &q.Retry.Max })
	parsed(s, "retry-factor", f.Int("retry-factor", 2, "how many times longer each exponential delay is than the one before"), between(1, math.MaxUint32), func(q *q) *int { return &q.Retry.Factor })

	parsed(s, "starvation-guard", f.String("starvation-guard", "20", "every so many messages one of a lower priority is served, or off"), parseGuard, func(q *q) *int { return &q.StarvationGuard })
	parsed(s, "group-failure", f.String("group-failure", "block", "what a message group does when its head fails: block, park, dlq-group or skip"), oneOf[client.GroupFailure](groupFailureWords), func(q *q) *client.GroupFailure { return &q.GroupFailure })
	parsed(s, "group-batch", f.Int("group-batch", 1, "messages of a group that one consumer may hold at a time"), between(1, client.MaxGroupBatch), func(q *q) *int { return &q.GroupBatch })
	plain(s, "exclusive", f.Bool("exclusive", false, "one consumer at a time; the others stand by"), func(q *q) *bool { return &q.Exclusive })
	plain(s, "fair", f.Bool("fair", false, "tenants take turns"), func(q *q) *bool { return &q.Fair })

	plain(s, "breaker", f.Bool("breaker", false, "hand nothing out while most attempts fail (circuit breaker)"), func(q *q) *bool { return &q.Breaker })
	parsed(s, "dispatch-rate", f.Int("dispatch-rate", 0, "messages handed out a second at most; 0: no limit"), between(0, math.MaxUint32), func(q *q) *int { return &q.DispatchRate })
	parsed(s, "dispatch-burst", f.Int("dispatch-burst", 0, "messages handed out at once at most; 0: a tenth of the rate"), between(0, math.MaxUint32), func(q *q) *int { return &q.DispatchBurst })

	words(c, "overflow", overflowWords)
	words(c, "retry", retryWords)
	words(c, "group-failure", groupFailureWords)
	return s
}

// addDedup adds the window of message ids, which a subscription leaves to its
// topic.
func (s *settings) addDedup() *settings {
	f := s.flags
	type q = client.QueueSettings

	parsed(s, "dedup-window", f.Duration("dedup-window", 0, "how long the id given by --dedup-id is known, 1s to 168h; 0: no window"), betweenOrZero(client.MinDedup, client.MaxDedup), func(q *q) *time.Duration { return &q.Dedup })
	parsed(s, "dedup-capacity", f.Int("dedup-capacity", 0, "ids that are known at most; required with a window"), between(0, client.MaxDedupCapacity), func(q *q) *int { return &q.DedupCapacity })
	return s
}

// plain is a setting that is what its flag holds.
func plain[T any](s *settings, name string, given *T, at func(*client.QueueSettings) *T) {
	parsed(s, name, given, func(v T) (T, error) { return v, nil }, at)
}

// parsed is a setting whose flag has to be understood first.
func parsed[F, T any](s *settings, name string, given *F, parse func(F) (T, error), at func(*client.QueueSettings) *T) {
	s.all = append(s.all, setting{name, func(q *client.QueueSettings) error {
		v, err := parse(*given)
		if err == nil {
			*at(q) = v
		}
		return err
	}})
}

func words(c *cobra.Command, flag string, all []string) {
	_ = c.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(all, cobra.ShellCompDirectiveNoFileComp))
}

// any reports whether a setting was given.
func (s *settings) any() bool {
	for _, one := range s.all {
		if s.flags.Changed(one.name) {
			return true
		}
	}
	return false
}

// apply changes what was given.
func (s *settings) apply(q client.QueueSettings) (client.QueueSettings, error) {
	before := q
	if err := s.set(&q); err != nil {
		return q, err
	}
	s.follow(&q, before)
	return q, s.together(&q)
}

// check judges what was given, each for itself, before anything is asked.
func (s *settings) check() error { return s.set(new(client.QueueSettings)) }

func (s *settings) set(q *client.QueueSettings) error {
	var wrong []error
	for _, one := range s.all {
		if !s.flags.Changed(one.name) {
			continue
		}
		if err := one.set(q); err != nil {
			wrong = append(wrong, usagef("--%s: %w", one.name, err))
		}
	}
	return mistakes(wrong...)
}

// together judges what was given beside what it goes with.
func (s *settings) together(q *client.QueueSettings) error {
	given := s.flags.Changed
	var wrong []error
	base, most := cmp.Or(q.Retry.Base, defaultRetryBase), cmp.Or(q.Retry.Max, defaultRetryMax)
	if (given("retry-base") || given("retry-max")) && base > most {
		wrong = append(wrong, usagef("--retry-base: %v is above --retry-max, %v", base, most))
	}
	if given("dispatch-burst") && q.DispatchBurst > 0 && q.DispatchRate == 0 {
		wrong = append(wrong, usagef("--dispatch-burst: it means nothing without --dispatch-rate"))
	}
	if given("dedup-window") || given("dedup-capacity") {
		wrong = append(wrong, dedupMistake(q.Dedup, q.DedupCapacity))
	}
	return mistakes(wrong...)
}

// dedupMistake: a window of message ids has both of its settings, or none.
func dedupMistake(window time.Duration, capacity int) error {
	switch {
	case window > 0 && capacity == 0:
		return usagef("--dedup-window: it needs --dedup-capacity")
	case window == 0 && capacity > 0:
		return usagef("--dedup-capacity: it means nothing without --dedup-window")
	}
	return nil
}

// follow changes what means nothing, or something else, without the setting
// that was given: a capacity without its window, a burst that was a part of
// its rate.
func (s *settings) follow(q *client.QueueSettings, before client.QueueSettings) {
	if q.Dedup == 0 && !s.flags.Changed("dedup-capacity") {
		q.DedupCapacity = 0
	}
	derived := before.DispatchBurst == max(1, before.DispatchRate/10)
	if (q.DispatchRate == 0 || derived) && !s.flags.Changed("dispatch-burst") && q.DispatchRate != before.DispatchRate {
		q.DispatchBurst = 0
	}
}

func parseSize(text string) (uint64, error) {
	n, err := config.ParseBytes(text)
	return uint64(n), err
}

// oneOf parses one of a few words, each of which is its number.
func oneOf[T ~uint8](all []string) func(string) (T, error) {
	return func(text string) (T, error) {
		for i, word := range all {
			if word == text {
				return T(i), nil
			}
		}
		return 0, usagef("%q is none of %s", text, strings.Join(all, ", "))
	}
}

func parseFailureLimit(text string) (int, error) {
	if text == unlimited {
		return client.FailureLimitUnlimited, nil
	}
	return parseCount(text, unlimited)
}

func parseGuard(text string) (int, error) {
	if text == off {
		return client.StarvationGuardOff, nil
	}
	return parseCount(text, off)
}

// parseCount reads a number of 1 and more; none is the word for that there is
// no such number.
func parseCount(text, none string) (int, error) {
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil || n < 1 {
		return 0, usagef("%q is neither %q nor a number within 1 and %d", text, none, math.MaxInt32)
	}
	return int(n), nil
}
