package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/ferrymq/ferrymq/cmd/ferry/internal/latency"
	"github.com/ferrymq/ferrymq/cmd/ferry/internal/suite"
	"github.com/ferrymq/ferrymq/cmd/ferry/internal/timers"
)

func (a *app) benchTimers() *cobra.Command {
	var nodes suite.Options
	var o timers.Options
	c := &cobra.Command{
		Use:   "timers",
		Short: "Start three nodes here and measure how late delayed messages arrive beside a steady load",
		Long: "Start three nodes here and publish many messages that become due over a window of\n" +
			"time, which begins when all are confirmed. Meanwhile others are published, delivered\n" +
			"and acked at a steady rate. Every timer must arrive once, none before it is due, and\n" +
			"p99 of the lateness at the consumer must keep the limit, or the exit code is 1.",
		Example: "  ferry bench timers\n  ferry bench timers --n 100000 --window 60s",
	}
	f := c.Flags()
	f.StringVar(&nodes.Dir, "data", "", "folder for data and logs (default: a temporary one)")
	f.StringVar(&nodes.LogStore, "log-store", "wal", "store of the Raft log: wal or boltdb")
	f.IntVar(&o.N, "n", timers.NDefault, "messages that wait")
	f.DurationVar(&o.Window, "window", timers.WindowDefault, "in which they are due, uniformly")
	f.IntVar(&o.Rate, "rate", timers.RateDefault, "messages a second published, delivered and acked beside them; 0: none")
	f.DurationVar(&o.Limit, "limit", timers.LimitDefault, "p99 of lateness at most")
	c.RunE = func(cmd *cobra.Command, _ []string) error { return a.runBenchTimers(cmd.Context(), nodes, o) }
	return c
}

func (a *app) runBenchTimers(ctx context.Context, nodes suite.Options, o timers.Options) error {
	if err := mistakes(o.Validate(), nodes.Validate()); err != nil {
		return err
	}
	bar := a.progressCount(int64(o.N), "due")
	o.Tick = bar.set
	nodes.Say = func(format string, args ...any) { fmt.Fprintf(a.Err, format+"\n", args...) }
	r, err := suite.Timers(ctx, nodes, o)
	bar.finish()
	if r.N == 0 {
		return err // nothing was measured
	}
	if told := a.printTimers(&r, o, err); told != nil {
		return told
	}
	return err
}

func (a *app) printTimers(r *timers.Result, o timers.Options, err error) error {
	told := []string{
		"Timers", fmt.Sprintf("%d published in %.1f s, due over %s", r.N, r.Loading.Seconds(), o.Window),
		"Arrived", fmt.Sprintf("%d, %d of them early, %d more than once", r.Due, r.Early, r.Repeated),
		"Lateness", percentiles(r.Lateness),
		"Elections", fmt.Sprint(r.Elections),
	}
	if o.Rate > 0 {
		told = append(told,
			"Beside", fmt.Sprintf("%d published and acked, %.0f/s", r.Acked, r.PerSecond()),
			"Confirmed", percentiles(r.Confirm),
			"Acked", percentiles(r.Through))
	}
	if err := fields(a.Out, told...); err != nil {
		return err
	}
	end := "ok"
	if err != nil {
		end = "FAILED"
	}
	_, err = fmt.Fprintf(a.Out, "%s %s\n", r.Line(), end)
	return err
}

func percentiles(l latency.Set) string {
	return fmt.Sprintf("p50 %.1f ms, p90 %.1f ms, p99 %.1f ms, p99.9 %.1f ms, max %.1f ms",
		l.Millis(50), l.Millis(90), l.Millis(99), l.Millis(99.9), l.MaxMillis())
}
