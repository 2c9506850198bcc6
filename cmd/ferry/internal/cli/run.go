package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// Streams are what a run reads and writes.
type Streams struct {
	In       io.Reader
	Out      io.Writer
	Err      io.Writer
	Terminal bool // Err is a terminal: progress bars
	Color    bool // Out is a terminal that likes colors
	Env      func(string) (string, bool)
}

// Main runs the program and returns its exit code. The first signal asks it
// to stop, a second one ends it. No command that it started outlives it.
func Main() int {
	ctx, stop := untilSignal(context.Background())
	defer stop()
	defer started.kill()
	_, plain := os.LookupEnv("NO_COLOR")
	return Run(ctx, os.Args[1:], Streams{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Env: os.LookupEnv,
		Terminal: term.IsTerminal(int(os.Stderr.Fd())),
		Color:    term.IsTerminal(int(os.Stdout.Fd())) && !plain,
	})
}

// Run runs one command and returns its exit code. The end of ctx is a request
// to stop.
func Run(ctx context.Context, args []string, s Streams) int {
	a := &app{Streams: s}
	root := a.root()
	root.SetArgs(args)
	root.SetContext(ctx)
	root.SetIn(s.In)
	root.SetOut(s.Out)
	root.SetErr(s.Err)
	addCompletion(root)
	err := root.ExecuteContext(ctx)
	if err != nil && !a.ran {
		err = usageError{err}
	}
	if err != nil && !errors.Is(err, errQuiet) {
		fmt.Fprintln(s.Err, "ferry:", oneLine(err))
	}
	return exitCode(err)
}

// oneLine joins what errors.Join put on several lines, except for settings,
// where each mistake deserves its own.
func oneLine(err error) string {
	var b bytes.Buffer
	lines := strings.Split(strings.TrimSpace(err.Error()), "\n")
	if _, ok := errors.AsType[usageError](err); ok && len(lines) > 1 {
		for _, l := range lines {
			b.WriteString("\n  " + l)
		}
		return fmt.Sprintf("%d mistakes:%s", len(lines), b.String())
	}
	// The client's errors begin with the program's name, too, also where they
	// are the reason of another one.
	text := strings.TrimPrefix(strings.Join(lines, "; "), "ferry: ")
	return strings.NewReplacer(": ferry: ", ": ", "; ferry: ", "; ").Replace(text)
}

// app is one run of the program.
type app struct {
	Streams
	flags globals
	ran   bool // a command's own code was reached: errors are no longer about usage
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "ferry",
		Short: "FerryMQ: queues that survive the loss of any minority of their nodes",
		Long: "FerryMQ is a message broker. Its queues survive the loss of any minority of their\n" +
			"nodes without losing a confirmed message.\n\n" +
			"Begin with `ferry dev`, which runs three nodes on this machine.",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          help,
		PersistentPreRunE: func(*cobra.Command, []string) error {
			a.ran = true
			return nil
		},
	}
	root.SetFlagErrorFunc(flagError)
	root.CompletionOptions.HiddenDefaultCmd = false
	root.AddGroup(
		&cobra.Group{ID: "nodes", Title: "Nodes:"},
		&cobra.Group{ID: "messages", Title: "Messages:"},
		&cobra.Group{ID: "admin", Title: "Administration:"},
	)
	add := func(group string, commands ...*cobra.Command) {
		for _, c := range commands {
			c.GroupID = group
			root.AddCommand(c)
		}
	}
	add("nodes", a.dev(), a.server(), a.health(), a.jepsen())
	add("messages", a.publish(), a.consume(), a.request(), a.reply(), a.message(), a.dlq(), a.bench())
	add("admin", a.queue(), a.topic(), a.breaker(), a.groups(), a.tenant(), a.explain(), a.trace(), a.cluster(), a.log())
	add("", a.version(), a.raftAlone())
	judgeArguments(root)
	return root
}

// judgeArguments has every command take what its line of use says.
func judgeArguments(c *cobra.Command) {
	if c.Args == nil {
		c.Args = takes(c.Use)
	}
	for _, sub := range c.Commands() {
		judgeArguments(sub)
	}
}

// addCompletion adds the command of cobra's that knows where to print by now. A
// shell that it does not know is a mistake.
func addCompletion(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	if c, _, err := root.Find([]string{"completion"}); err == nil {
		c.RunE = help
	}
}

// help is what a command without an action of its own does.
func help(cmd *cobra.Command, _ []string) error { return cmd.Help() }

// group is a command that only holds others.
func group(use, short string, subs ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{Use: use, Short: short, Args: cobra.NoArgs, RunE: help}
	c.AddCommand(subs...)
	return c
}
