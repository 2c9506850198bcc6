package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/ferrymq/ferrymq/cmd/ferry/internal/load"
	"github.com/ferrymq/ferrymq/cmd/ferry/internal/raftalone"
	"github.com/ferrymq/ferrymq/cmd/ferry/internal/suite"
)

func (a *app) bench() *cobra.Command {
	o := load.Options{}
	c := &cobra.Command{
		Use:   "bench",
		Short: "Measure a cluster under load",
		Long: "Measure a cluster under load, in a queue of its own that is deleted afterwards.\n\n" +
			"  publish         as fast as confirms let, many in flight\n" +
			"  publish-single  each connection waits for each confirm\n" +
			"  e2e             published, delivered and acked; as many consumers as producers",
		Example: "  ferry bench --size 1024 --connections 8 --duration 10s\n" +
			"  ferry bench --workload publish-single -o json",
	}
	f := c.Flags()
	f.StringVar(&o.Workload, "workload", load.Publish, "publish, publish-single or e2e")
	f.IntVar(&o.Size, "size", 1024, "bytes of a body")
	f.IntVar(&o.Connections, "connections", 0, "producers' connections (default 8, for publish-single 1)")
	f.DurationVar(&o.Duration, "duration", 10*time.Second, "time of measuring, after a second of warming up")
	f.Uint64Var(&o.Count, "count", 0, "end earlier after so many messages; 0: no bound")
	f.IntVar(&o.Window, "window", 0, "messages in flight on a connection (default 2,048)")
	f.StringVar(&o.Queue, "queue", "", "existing queue to use (default: a new one, deleted at the end)")
	_ = c.RegisterFlagCompletionFunc("workload", cobra.FixedCompletions(load.Workloads(), cobra.ShellCompDirectiveNoFileComp))
	c.RunE = func(cmd *cobra.Command, _ []string) error { return a.runBench(cmd.Context(), o) }
	c = a.remote(c)
	c.AddCommand(a.benchSuite(), a.benchTimers())
	return c
}

func (a *app) runBench(ctx context.Context, o load.Options) error {
	o.URL = a.flags.url
	timeout, err := a.timeout()
	if err != nil {
		return err
	}
	o.Timeout = timeout
	var queue error
	if o.Queue != "" {
		queue = quoted("queue", o.Queue, nameFault(o.Queue))
	}
	if err := mistakes(o.Validate(), queue); err != nil {
		return err
	}
	bar := a.progressCount(int64(o.Count), o.Workload)
	r, err := load.Run(ctx, o, bar.set)
	bar.finish()
	if r.Messages > 0 {
		err = errors.Join(err, a.printBench(r))
	}
	if err == nil && r.Errors > 0 {
		err = fmt.Errorf("%d errors, the first: %s", r.Errors, r.FirstError)
	}
	return err
}

func (a *app) printBench(r load.Result) error {
	if a.json() {
		return printJSON(a.Out, r)
	}
	return fields(a.Out,
		"Workload", fmt.Sprintf("%s, %d bytes, %d connections", r.Workload, r.Size, r.Connections),
		"Messages", fmt.Sprintf("%d in %.1f s", r.Messages, r.Seconds),
		"Rate", fmt.Sprintf("%.0f/s, %.1f MiB/s", r.PerSecond, r.MiBPerSec),
		"Latency", fmt.Sprintf("p50 %.2f ms, p90 %.2f ms, p99 %.2f ms, max %.2f ms", r.P50, r.P90, r.P99, r.Max),
		"Errors", strconv.FormatUint(r.Errors, 10),
	)
}

func (a *app) benchSuite() *cobra.Command {
	var o suite.Options
	var out string
	c := &cobra.Command{
		Use:   "suite",
		Short: "Start three nodes here and measure everything, with hashicorp/raft alone beside it",
	}
	f := c.Flags()
	f.StringVar(&o.Dir, "data", "", "folder for data and logs (default: a temporary one)")
	f.StringVar(&o.LogStore, "log-store", "wal", "store of the Raft log: wal or boltdb")
	f.DurationVar(&o.Duration, "duration", 5*time.Second, "of each measurement")
	f.IntVar(&o.Connections, "connections", 8, "connections of the publish workload")
	f.StringVar(&out, "out", "", "also write the figures to this file, as one JSON object")
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := o.Validate(); err != nil {
			return usageError{err}
		}
		o.Say = func(format string, args ...any) { fmt.Fprintf(a.Err, format+"\n", args...) }
		figures, err := suite.Run(cmd.Context(), o)
		if err != nil {
			return err
		}
		text, err := json.MarshalIndent(figures, "", "  ")
		if err != nil {
			return err
		}
		text = append(text, '\n')
		if out != "" {
			if err := os.WriteFile(out, text, 0o644); err != nil {
				return err
			}
		}
		_, err = a.Out.Write(text)
		return err
	}
	return c
}

// raftAlone is what the suite starts as processes of their own.
func (a *app) raftAlone() *cobra.Command {
	var o raftalone.Options
	c := &cobra.Command{Use: "raft-alone", Hidden: true}
	f := c.Flags()
	f.IntVar(&o.Self, "self", 0, "which of the peers this is")
	f.StringSliceVar(&o.Peers, "peers", nil, "addresses of all")
	f.StringVar(&o.Dir, "data", "", "folder")
	f.StringVar(&o.LogStore, "log-store", "wal", "store of the log")
	c.RunE = func(*cobra.Command, []string) error {
		log := slog.New(slog.NewTextHandler(a.Err, &slog.HandlerOptions{Level: slog.LevelWarn}))
		return raftalone.Serve(o, a.In, a.Out, log)
	}
	return c
}
