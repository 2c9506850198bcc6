package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/transport"
)

const (
	defaultURL     = "ferry://127.0.0.1:7700"
	defaultTimeout = 10 * time.Second
	// sessionExpiry is of the sessions of commands, which nobody resumes: if one
	// is killed, what is bound to its session goes soon.
	sessionExpiry = time.Minute
)

// globals are the flags of every command that speaks to a cluster.
type globals struct {
	url     string
	timeout string
	output  string
}

// Output formats.
const (
	outputTable = "table"
	outputJSON  = "json"
)

// remote adds the flags of a command that speaks to a cluster.
func (a *app) remote(c *cobra.Command) *cobra.Command {
	f := c.Flags()
	f.StringVar(&a.flags.url, "url", a.env("FERRY_URL", defaultURL), "cluster to speak to (FERRY_URL)")
	f.StringVar(&a.flags.timeout, "timeout", a.env("FERRY_TIMEOUT", defaultTimeout.String()), "bound of connecting and of each request (FERRY_TIMEOUT)")
	f.StringVarP(&a.flags.output, "output", "o", outputTable, "table or json")
	run := c.RunE
	c.RunE = func(cmd *cobra.Command, args []string) error {
		if o := a.flags.output; o != outputTable && o != outputJSON {
			return usagef("--output: %q is neither %s nor %s", o, outputTable, outputJSON)
		}
		if _, err := a.timeout(); err != nil {
			return err
		}
		return run(cmd, args)
	}
	_ = c.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{outputTable, outputJSON}, cobra.ShellCompDirectiveNoFileComp))
	return c
}

func (a *app) env(name, otherwise string) string {
	if v, ok := a.Env(name); ok && v != "" {
		return v
	}
	return otherwise
}

func (a *app) json() bool { return a.flags.output == outputJSON }

func (a *app) timeout() (time.Duration, error) {
	d, err := time.ParseDuration(a.flags.timeout)
	switch {
	case err != nil:
		return 0, usagef("--timeout: %q is no duration like 500ms, 1m30s or 24h", a.flags.timeout)
	case d <= 0:
		return 0, usagef("--timeout: %v is not above 0", d)
	}
	return d, nil
}

// connect dials the cluster. The caller closes.
func (a *app) connect(ctx context.Context, opts ...client.Option) (*client.Conn, error) {
	d, err := a.timeout()
	if err != nil {
		return nil, err
	}
	dial, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	expiry := min(max(sessionExpiry, d), client.MaxSessionExpiry) // the timeout is how long an answer is waited for
	opts = append([]client.Option{client.WithName("ferry"), client.WithRequestTimeout(d), client.WithSessionExpiry(expiry)}, opts...)
	c, err := client.Dial(dial, a.flags.url, opts...)
	var e *client.Error
	if errors.As(err, &e) && e.Code == transport.CodeInvalid && e.Node == "" { // no node was asked
		return nil, usagef("--url: %q: %s", a.flags.url, e.Detail)
	}
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	return c, nil
}

// with connects, runs f within the timeout, and closes.
func (a *app) with(ctx context.Context, f func(context.Context, *client.Conn) error) error {
	d, err := a.timeout()
	if err != nil {
		return err
	}
	return a.unbounded(ctx, func(ctx context.Context, conn *client.Conn) error {
		bounded, cancel := context.WithTimeout(ctx, d)
		defer cancel()
		return f(bounded, conn)
	})
}

// unbounded connects, runs f, each request of which is bounded by the timeout,
// and closes.
func (a *app) unbounded(ctx context.Context, f func(context.Context, *client.Conn) error, opts ...client.Option) error {
	c, err := a.connect(ctx, opts...)
	if err != nil {
		return err
	}
	err = f(ctx, c)
	if e := c.Close(); err == nil && e != nil {
		err = fmt.Errorf("close: %w", e)
	}
	return err
}
