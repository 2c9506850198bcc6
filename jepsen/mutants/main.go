package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// options of a session.
type options struct {
	only  []string      // numbers; none: all mutants
	tests bool          // only those that Go tests are to catch
	build bool          // stop when it is built
	trust bool          // that the runs are green without a mutant
	keep  bool          // leave the copies of those that survive
	limit time.Duration // of one run
	table string        // a file with a marked block
}

func main() {
	var o options
	flag.BoolVar(&o.tests, "tests", false, "only those that Go tests are to catch")
	flag.BoolVar(&o.build, "build", false, "apply and build only")
	flag.BoolVar(&o.trust, "trust", false, "do not make each run without its mutant first")
	flag.BoolVar(&o.keep, "keep", false, "leave the tree and the report of each mutant that is not killed")
	flag.DurationVar(&o.limit, "limit", 5*time.Minute, "bound of one run")
	flag.StringVar(&o.table, "table", "", "write the table into the marked block of this `file`")
	flag.Parse()
	o.only = flag.Args()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := work(ctx, o, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

// work runs the session. Whatever happens, what it made is removed before it
// returns, but for what the options keep.
func work(ctx context.Context, o options, out io.Writer) error {
	root, err := rootOf(ctx)
	if err != nil {
		return err
	}
	list, err := load(filepath.Join(root, "jepsen", "mutants"))
	if err != nil {
		return err
	}
	if list, err = pick(list, o.only, o.tests); err != nil {
		return err
	}
	if o.table != "" && (len(o.only) > 0 || o.tests || o.build) {
		return errors.New("a table is of all mutants")
	}
	l := lab{root: root, limit: o.limit, build: o.build, keep: o.keep, out: out, known: map[string]bool{}}
	defer l.close()
	var ends []ending
	for _, m := range list {
		e := ending{mutant: m, fate: unsound}
		if o.build || o.trust || l.sound(ctx, m) {
			e = l.try(ctx, m)
		}
		ends = append(ends, e)
		fmt.Fprintln(out, e)
		if ctx.Err() != nil {
			return fmt.Errorf("interrupted after %d of %d", len(ends)-1, len(list))
		}
	}
	if o.table != "" {
		if err := rewrite(o.table, table(ends)); err != nil {
			return err
		}
	}
	return conclude(ends, o.build, out)
}

// conclude prints the table and the last line.
func conclude(ends []ending, build bool, out io.Writer) error {
	fine := 0
	for _, e := range ends {
		if e.fine() {
			fine++
		}
	}
	verb := "killed"
	if build {
		verb = "built"
	} else {
		fmt.Fprintf(out, "\n%s\n", table(ends))
	}
	line := fmt.Sprintf("mutants: %s=%d of %d", verb, fine, len(ends))
	if fine < len(ends) {
		fmt.Fprintln(out, line, "FAILED")
		return errors.New("not every mutant was caught")
	}
	fmt.Fprintln(out, line, "ok")
	return nil
}

func rootOf(ctx context.Context) (string, error) {
	b, err := exec.CommandContext(ctx, "git", "rev-parse", "--show-toplevel").Output()
	if err != nil {
		return "", fmt.Errorf("this is no checkout: %w", err)
	}
	return strings.TrimSpace(string(b)), nil
}
