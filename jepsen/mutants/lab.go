package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// buildLimit bounds the build of a copy; the cache is shared with all others.
const buildLimit = 10 * time.Minute

// lab tries mutants, one after the other.
type lab struct {
	root  string // of the checkout
	limit time.Duration
	build bool
	keep  bool
	out   io.Writer
	known map[string]bool // whether a run is green without a mutant

	shared string // folder of the copy for what Go tests are to catch; "": there is none
}

// ending is what became of a mutant.
type ending struct {
	mutant
	fate  fate
	kinds []string      // expected ones that were reported, or tests that failed
	seen  time.Duration // from the start of its run to the first report
	took  time.Duration // the whole run
	note  string        // why it was not killed
}

type fate string

const (
	killed      fate = "killed"
	built       fate = "built"
	survived    fate = "survived"
	unsound     fate = "the run is red without it"
	otherwise   fate = "failed otherwise"
	tooLong     fate = "out of time"
	notApplied  fate = "does not apply"
	notBuilt    fate = "does not build"
	interrupted fate = "interrupted"
)

func (e ending) fine() bool { return e.fate == killed || e.fate == built }

func (e ending) String() string {
	s := fmt.Sprintf("%s: %s", e.mutant, e.fate)
	if e.fate == killed {
		s += fmt.Sprintf(" by %s after %s, run of %s", strings.Join(e.kinds, ", "), seconds(e.seen), seconds(e.took))
	}
	if e.note != "" {
		s += "\n" + indent(e.note)
	}
	return s
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

func indent(s string) string {
	return "    " + strings.ReplaceAll(strings.TrimRight(s, "\n"), "\n", "\n    ")
}

// try makes a mutant and has it run. Nothing of it is left afterwards, unless
// it was not killed and is to be kept.
func (l *lab) try(ctx context.Context, m mutant) (e ending) {
	if m.byTest() {
		return l.tryTest(ctx, m)
	}
	e = ending{mutant: m}
	dir, err := os.MkdirTemp("", "ferry-mutant-")
	if err != nil {
		e.fate, e.note = notApplied, err.Error()
		return e
	}
	defer func() {
		if ctx.Err() != nil {
			e.fate = interrupted
		}
		if l.keep && !e.fine() {
			e.note += "\nkept in " + dir
			return
		}
		if err := os.RemoveAll(dir); err != nil {
			e.note += "\n" + err.Error()
		}
	}()
	tree := filepath.Join(dir, "tree")
	if e.fate, e.note = l.make(ctx, m, tree); e.fate != built || l.build {
		return e
	}
	fmt.Fprintf(l.out, "%s: %s\n", m, strings.Join(m.caughtBy, " "))
	l.run(ctx, &e, dir, tree)
	return e
}

// sound makes the run of a mutant on the tree as it is, once: one that is red
// without a mutant would kill them all.
func (l *lab) sound(ctx context.Context, m mutant) bool {
	run := strings.Join(m.caughtBy, " ")
	if m.byTest() {
		run += " " + strings.Join(m.expect, " ") // which have to be there
	}
	green, known := l.known[run]
	if !known {
		e := l.try(ctx, mutant{number: "00", name: "none", caughtBy: m.caughtBy, expect: m.expect})
		green = e.fate == survived
		l.known[run] = green
		if green {
			fmt.Fprintf(l.out, "%s: green after %s\n", e.mutant, seconds(e.took))
		} else {
			fmt.Fprintf(l.out, "%s: RED\n%s\n", e.mutant, indent(e.String()))
		}
	}
	return green
}

// make copies the tree, applies the patch, if there is one, and builds the
// program.
func (l *lab) make(ctx context.Context, m mutant, tree string) (fate, string) {
	fmt.Fprintf(l.out, "%s: building\n", m)
	if err := copyTree(ctx, l.root, tree); err != nil {
		return notApplied, err.Error()
	}
	if m.path != "" {
		if text, err := apply(ctx, tree, m.path); err != nil {
			return notApplied, text + err.Error()
		}
	}
	ctx, cancel := context.WithTimeout(ctx, buildLimit)
	defer cancel()
	// With -trimpath, what is not mutated comes from the cache.
	cmd := command(ctx, tree, "go", "build", "-trimpath", "-buildvcs=false", "-o", filepath.Join("bin", "ferry"), "./cmd/ferry")
	if text, err := cmd.CombinedOutput(); err != nil {
		return notBuilt, string(text) + err.Error()
	}
	return built, ""
}

// run runs the command that is to catch the mutant, and judges it.
func (l *lab) run(ctx context.Context, e *ending, dir, tree string) {
	scratch := filepath.Join(dir, "tmp")
	if err := os.MkdirAll(scratch, 0o755); err != nil {
		e.fate, e.note = otherwise, err.Error()
		return
	}
	ctx, cancel := context.WithTimeout(ctx, l.limit)
	defer cancel()
	ferry := filepath.Join(tree, "bin", "ferry")
	report := filepath.Join(dir, "report")
	cmd := command(ctx, tree, ferry, append(slices.Clone(e.caughtBy[1:]), "--dir", report)...)
	cmd.Env = append(os.Environ(), "TMPDIR="+scratch, "FERRY_BINARY="+ferry)
	w := newWatch(problems(e.expect))
	cmd.Stdout, cmd.Stderr = w, w
	err := cmd.Run()
	e.took = time.Since(w.began)
	if ctx.Err() != nil {
		reap(cmd)
	}
	l.judge(e, w, report, err, ctx.Err() != nil)
}

// judge tells what a run that has ended came to.
func (l *lab) judge(e *ending, w *watch, report string, err error, late bool) {
	found, unread := verdicts(report)
	kinds, seen := w.end()
	if len(kinds) == 0 {
		seen = e.took // only verdicts tell, and they come last
	}
	for _, kind := range e.expect {
		if found[kind] > 0 || slices.Contains(kinds, kind) {
			e.kinds = append(e.kinds, kind)
		}
	}
	switch {
	case late:
		e.fate = tooLong
	case err == nil:
		e.fate = survived
	case len(e.kinds) == 0:
		e.fate = otherwise
	default:
		e.fate, e.seen = killed, seen
		return
	}
	e.note = w.tail()
	if len(found) > 0 {
		e.note += fmt.Sprintf("\nverdicts: %v", found)
	}
	if err := errors.Join(err, unread); err != nil {
		e.note += "\n" + err.Error()
	}
}
