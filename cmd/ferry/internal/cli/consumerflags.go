package cli

import (
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ferrymq/ferrymq/client"
)

// consumerFlags are those of every command that consumes.
type consumerFlags struct {
	flags         *pflag.FlagSet
	lease         time.Duration
	prefetchBytes string
}

func addConsumer(c *cobra.Command) *consumerFlags {
	f := &consumerFlags{flags: c.Flags()}
	f.flags.DurationVar(&f.lease, "lease", 0, "how long a message may take before it goes to another (default: as the queue says)")
	f.flags.StringVar(&f.prefetchBytes, "prefetch-bytes", "8MiB", "bytes of messages held unsettled")
	return f
}

// options of the consumer, those that were given.
func (f *consumerFlags) options() (opts []client.ConsumeOption, err error) {
	if f.flags.Changed("lease") {
		if err := within("lease", f.lease, client.MinLease, client.MaxLease); err != nil {
			return nil, err
		}
		opts = append(opts, client.WithLease(f.lease))
	}
	if f.flags.Changed("prefetch-bytes") {
		n, err := parseSize(f.prefetchBytes)
		if err != nil {
			return nil, usagef("--prefetch-bytes: %w", err)
		}
		if err := within("prefetch-bytes", n, 1, client.MaxPrefetchBytes); err != nil {
			return nil, err
		}
		opts = append(opts, client.WithPrefetchBytes(int(n)))
	}
	return opts, nil
}
