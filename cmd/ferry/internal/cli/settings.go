package cli

import (
	"errors"
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
	plain(s, "lease", f.Duration("lease", time.Minute, "how long a consumer has before its message goes to another"), func(q *q) *time.Duration { return &q.Lease })
	plain(s, "dlq-max-messages", f.Uint64("dlq-max-messages", 0, "limit of the dead-letter queue; 0: none"), func(q *q) *uint64 { return &q.DLQMessages })
	parsed(s, "dlq-max-bytes", f.String("dlq-max-bytes", "0", "limit of the dead-letter queue; 0: none"), parseSize, func(q *q) *uint64 { return &q.DLQBytes })

	plain(s, "ttl", f.Duration("ttl", 0, "how long a message may wait before it expires; 0: for ever"), func(q *q) *time.Duration { return &q.TTL })
	plain(s, "expired-to-dlq", f.Bool("expired-to-dlq", false, "dead-letter what expires, instead of dropping it"), func(q *q) *bool { return &q.ExpiredDead })
	parsed(s, "retry", f.String("retry", "exponential", "how the delays between attempts grow: exponential, linear, fixed or immediate"), oneOf[client.RetryKind](retryWords), func(q *q) *client.RetryKind { return &q.Retry.Kind })
	plain(s, "retry-base", f.Duration("retry-base", time.Second, "delay after the first failure"), func(q *q) *time.Duration { return &q.Retry.Base })
	plain(s, "retry-max", f.Duration("retry-max", 5*time.Minute, "longest delay"), func(q *q) *time.Duration { return &q.Retry.Max })
	plain(s, "retry-factor", f.Int("retry-factor", 2, "how many times longer each exponential delay is than the one before"), func(q *q) *int { return &q.Retry.Factor })

	parsed(s, "starvation-guard", f.String("starvation-guard", "20", "every so many messages one of a lower priority is served, or off"), parseGuard, func(q *q) *int { return &q.StarvationGuard })
	parsed(s, "group-failure", f.String("group-failure", "block", "what a message group does when its head fails: block, park, dlq-group or skip"), oneOf[client.GroupFailure](groupFailureWords), func(q *q) *client.GroupFailure { return &q.GroupFailure })
	plain(s, "group-batch", f.Int("group-batch", 1, "messages of a group that one consumer may hold at a time"), func(q *q) *int { return &q.GroupBatch })
	plain(s, "exclusive", f.Bool("exclusive", false, "one consumer at a time; the others stand by"), func(q *q) *bool { return &q.Exclusive })
	plain(s, "fair", f.Bool("fair", false, "tenants take turns"), func(q *q) *bool { return &q.Fair })

	plain(s, "breaker", f.Bool("breaker", false, "hand nothing out while most attempts fail (circuit breaker)"), func(q *q) *bool { return &q.Breaker })
	plain(s, "dispatch-rate", f.Int("dispatch-rate", 0, "messages handed out a second at most; 0: no limit"), func(q *q) *int { return &q.DispatchRate })
	plain(s, "dispatch-burst", f.Int("dispatch-burst", 0, "messages handed out at once at most; 0: a tenth of the rate"), func(q *q) *int { return &q.DispatchBurst })

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

	plain(s, "dedup-window", f.Duration("dedup-window", 0, "how long the id given by --dedup-id is known, 1s to 168h; 0: no window"), func(q *q) *time.Duration { return &q.Dedup })
	plain(s, "dedup-capacity", f.Int("dedup-capacity", 0, "ids that are known at most; required with a window"), func(q *q) *int { return &q.DedupCapacity })
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
	var wrong []error
	for _, one := range s.all {
		if !s.flags.Changed(one.name) {
			continue
		}
		if err := one.set(&q); err != nil {
			wrong = append(wrong, usagef("--%s: %w", one.name, err))
		}
	}
	if len(wrong) > 0 {
		return q, usageError{errors.Join(wrong...)}
	}
	s.follow(&q, before)
	return q, nil
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
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil || n < 1 {
		return 0, usagef("%q is neither a number above 0 nor %q", text, unlimited)
	}
	return int(n), nil
}

func parseGuard(text string) (int, error) {
	if text == off {
		return client.StarvationGuardOff, nil
	}
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil || n < 1 {
		return 0, usagef("%q is neither a number above 0 nor %q", text, off)
	}
	return int(n), nil
}
