//go:build linux

package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ferrymq/ferrymq/jepsen"
)

func (a *app) jepsen() *cobra.Command {
	c := group("jepsen", "Break a cluster of this very program and judge what its clients saw",
		a.jepsenRun(), a.jepsenReplay(), a.jepsenReport())
	c.Long = "Break a cluster and judge what its clients saw.\n\n" +
		"Each run starts three or five nodes of this program in namespaces of their own,\n" +
		"carries several workloads at once, hurts the cluster in one way, heals it, drains\n" +
		"the queues and accounts for every message. It needs Linux and root (or sudo\n" +
		"without a password), and leaves nothing behind but the report."
	return c
}

func (a *app) jepsenRun() *cobra.Command {
	var o jepsen.Options
	c := &cobra.Command{
		Use:   "run",
		Short: "Make runs, one for each nemesis, and write a report",
		Long: "Make runs, one for each nemesis and set of workloads, and write a report.\n\n" +
			"Nemeses: " + strings.Join(jepsen.NemesisNames(), ", ") + ", none.\n" +
			jepsen.SetTexts() + "\n" +
			"With a budget, runs of other workloads than the core's under faults that tell less\n" +
			"come last, and may be left out.\n\n" +
			"The last line is for programs, and the exit code is 1 if anything is red.",
		Example: "  ferry jepsen run\n" +
			"  ferry jepsen run --nemesis power-loss-all,bit-rot --time 30s --seed 7",
	}
	f := c.Flags()
	f.StringSliceVar(&o.Nemeses, "nemesis", nil, "what to do to the cluster, one run each (default: all)")
	f.StringVar(&o.Set, "set", jepsen.Both, "workloads that a run carries: core, features, or both in turn")
	f.StringSliceVar(&o.Workloads, "workload", nil, "what its clients do, all of a set at once (default: all)")
	f.Uint64Var(&o.Seed, "seed", 0, "of everything that is drawn (default: the time)")
	f.DurationVar(&o.Time, "time", 0, "of each run with faults at work (default 5s, 4s for features)")
	f.Float64Var(&o.Rate, "rate", 0, "messages a second of all workloads together (default 6000)")
	f.IntVar(&o.Rounds, "rounds", 0, "how often to go through the nemeses (default 1)")
	f.IntVar(&o.Nodes, "nodes", 0, "of the cluster, 3 or 5 (default: what the nemesis needs)")
	f.DurationVar(&o.Budget, "budget", 0, "begin no run that would not end within it; it is red if one is left (default: none)")
	f.StringVar(&o.Binary, "ferry", "", "program to test (default: this one)")
	f.StringVar(&o.Dir, "dir", "", "folder of the report (default: jepsen-SEED)")
	_ = c.RegisterFlagCompletionFunc("nemesis", cobra.FixedCompletions(jepsen.NemesisNames(), cobra.ShellCompDirectiveNoFileComp))
	_ = c.RegisterFlagCompletionFunc("set", cobra.FixedCompletions(jepsen.SetNames(), cobra.ShellCompDirectiveNoFileComp))
	_ = c.RegisterFlagCompletionFunc("workload", cobra.FixedCompletions(jepsen.WorkloadNames(), cobra.ShellCompDirectiveNoFileComp))
	c.RunE = func(cmd *cobra.Command, _ []string) error { return a.runJepsen(cmd.Context(), o) }
	return c
}

func (a *app) jepsenReplay() *cobra.Command {
	var dir, binary string
	c := &cobra.Command{
		Use:   "replay DIR",
		Short: "Make the run of a report again, with its seed and options",
		Long: "Make the run of a report again, with its seed and options: the same faults in\n" +
			"the same order. What threads and the network do in between is not repeated;\n" +
			"the simulation (`make sim SEED=...`) repeats that as well.",
	}
	c.Flags().StringVar(&dir, "dir", "", "folder of the new report (default: DIR-again)")
	c.Flags().StringVar(&binary, "ferry", "", "program to test (default: this one)")
	c.RunE = func(cmd *cobra.Command, args []string) error {
		o, err := jepsen.OptionsOf(args[0])
		if err != nil {
			return noReport(args[0], err)
		}
		if o.Dir = dir; dir == "" {
			o.Dir = strings.TrimRight(args[0], "/") + "-again"
		}
		o.Binary = binary
		return a.runJepsen(cmd.Context(), o)
	}
	return c
}

func (a *app) jepsenReport() *cobra.Command {
	c := &cobra.Command{
		Use:   "report DIR",
		Short: "Check the recorded operations of a report again and redraw its pages",
	}
	c.RunE = func(_ *cobra.Command, args []string) error {
		return noReport(args[0], told(jepsen.Report(args[0], a.Out)))
	}
	return c
}

func (a *app) runJepsen(ctx context.Context, o jepsen.Options) error {
	o.Version = Version
	if o.Seed == 0 {
		o.Seed = uint64(time.Now().UnixNano())
	}
	if o.Dir == "" {
		o.Dir = "jepsen-" + strconv.FormatUint(o.Seed, 10)
	}
	if o.Binary == "" {
		self, err := os.Executable()
		if err != nil {
			return err
		}
		o.Binary = self
	}
	for _, path := range []*string{&o.Dir, &o.Binary} {
		var err error
		if *path, err = filepath.Abs(*path); err != nil {
			return err
		}
	}
	o.Out, o.Terminal = a.Out, a.Terminal
	if err := o.Validate(); err != nil {
		return usageError{err}
	}
	return told(jepsen.Run(ctx, o))
}

// noReport marks the error of a folder without a report as the caller's.
func noReport(dir string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return usagef("DIR %q: no report: %w", dir, err)
	}
	return err
}

// told leaves out an error that the last line of a session tells.
func told(err error) error {
	if errors.Is(err, jepsen.ErrRed) {
		return fmt.Errorf("%w: %w", errQuiet, err)
	}
	return err
}
