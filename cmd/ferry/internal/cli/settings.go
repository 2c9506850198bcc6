package cli

import (
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/cmd/ferry/internal/config"
)

const unlimited = "unlimited"

// settings are the flags that describe a queue.
type settings struct {
	maxMessages, dlqMessages uint64
	maxBytes, dlqBytes       string
	failureLimit             string
	lease                    time.Duration
}

var settingNames = []string{"max-messages", "max-bytes", "failure-limit", "lease", "dlq-max-messages", "dlq-max-bytes"}

func addSettings(c *cobra.Command) *settings {
	s := &settings{}
	f := c.Flags()
	f.Uint64Var(&s.maxMessages, "max-messages", 0, "refuse publishes above so many messages; 0: no limit")
	f.StringVar(&s.maxBytes, "max-bytes", "0", "refuse publishes above so many bytes (like 64MiB); 0: no limit")
	f.StringVar(&s.failureLimit, "failure-limit", "10", "dead-letter a message after so many failures, or unlimited")
	f.DurationVar(&s.lease, "lease", time.Minute, "how long a consumer has before its message goes to another")
	f.Uint64Var(&s.dlqMessages, "dlq-max-messages", 0, "limit of the dead-letter queue; 0: none")
	f.StringVar(&s.dlqBytes, "dlq-max-bytes", "0", "limit of the dead-letter queue; 0: none")
	return s
}

// any reports whether a setting was given.
func (s *settings) any(c *cobra.Command) bool {
	for _, name := range settingNames {
		if c.Flags().Changed(name) {
			return true
		}
	}
	return false
}

// apply changes what was given.
func (s *settings) apply(c *cobra.Command, q client.QueueSettings) (client.QueueSettings, error) {
	var wrong error
	size := func(name, text string, to *uint64) {
		n, err := config.ParseBytes(text)
		if err != nil {
			wrong = usagef("--%s: %w", name, err)
		}
		*to = uint64(n)
	}
	for _, name := range settingNames {
		if !c.Flags().Changed(name) {
			continue
		}
		switch name {
		case "max-messages":
			q.MaxMessages = s.maxMessages
		case "max-bytes":
			size(name, s.maxBytes, &q.MaxBytes)
		case "failure-limit":
			limit, err := parseFailureLimit(s.failureLimit)
			if err != nil {
				wrong = err
			}
			q.FailureLimit = limit
		case "lease":
			q.Lease = s.lease
		case "dlq-max-messages":
			q.DLQMessages = s.dlqMessages
		case "dlq-max-bytes":
			size(name, s.dlqBytes, &q.DLQBytes)
		}
	}
	return q, wrong
}

func parseFailureLimit(text string) (int, error) {
	if text == unlimited {
		return client.FailureLimitUnlimited, nil
	}
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil || n < 1 {
		return 0, usagef("--failure-limit: %q is neither a number above 0 nor %q", text, unlimited)
	}
	return int(n), nil
}
