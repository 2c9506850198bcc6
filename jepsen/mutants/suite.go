package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A mutant that go test is to catch needs no program and no cluster. Its patch
// goes into a copy of the tree that all of them share, and is taken back after
// the run, so that only what it touched is compiled anew.

// byTest tells whether a Go test is to catch the mutant.
func (m *mutant) byTest() bool { return m.caughtBy[0] == "go" }

// suite is what go test says of its tests.
type suite struct {
	ended map[string]string // by test: pass, fail or skip
	built bool
}

// event is a line of go test -json.
type event struct {
	Action string
	Test   string
	Output string
}

// read takes in a line, and returns its text, and the test that failed by it.
// What is no event is text too.
func (s *suite) read(line string) (text string, failed []string) {
	var e event
	if json.Unmarshal([]byte(line), &e) != nil {
		return line, nil
	}
	switch e.Action {
	case "build-fail":
		s.built = false
	case "pass", "fail", "skip":
		s.ended[e.Test] = e.Action
		if e.Action == "fail" && e.Test != "" {
			failed = []string{e.Test}
		}
	}
	return strings.TrimRight(e.Output, "\n"), failed
}

// tryTest has the named tests run on the shared copy with the patch in it.
func (l *lab) tryTest(ctx context.Context, m mutant) (e ending) {
	e = ending{mutant: m, fate: notApplied}
	if err := l.share(ctx); err != nil {
		e.note = err.Error()
		return e
	}
	defer func() {
		if ctx.Err() != nil {
			e.fate = interrupted
		}
	}()
	tree := filepath.Join(l.shared, "tree")
	if m.path == "" {
		l.test(ctx, &e, tree)
		return e
	}
	if text, err := apply(ctx, tree, m.path); err != nil {
		e.note = text + err.Error()
		return e
	}
	l.test(ctx, &e, tree)
	if l.keep && !e.fine() {
		e.note += "\nkept in " + l.shared
		l.shared = ""
		return e
	}
	if _, err := apply(ctx, tree, m.path, "--reverse"); err != nil {
		l.close() // the next one makes another copy
	}
	return e
}

// share makes the copy, if it is not there.
func (l *lab) share(ctx context.Context) (err error) {
	if l.shared != "" {
		return nil
	}
	if l.shared, err = os.MkdirTemp("", "ferry-mutant-"); err != nil {
		return err
	}
	if err = os.Mkdir(filepath.Join(l.shared, "tmp"), 0o755); err == nil {
		err = copyTree(ctx, l.root, filepath.Join(l.shared, "tree"))
	}
	if err != nil {
		l.close()
	}
	return err
}

// close removes the shared copy.
func (l *lab) close() {
	if l.shared == "" {
		return
	}
	if err := os.RemoveAll(l.shared); err != nil {
		fmt.Fprintln(l.out, err)
	}
	l.shared = ""
}

// test runs the tests, and judges the mutant by them. They have no time limit
// of their own, which would make a test fail that did not see anything. Their
// package is not optimized: compiling it takes most of the time.
func (l *lab) test(ctx context.Context, e *ending, tree string) {
	fmt.Fprintf(l.out, "%s: %s\n", e.mutant, strings.Join(e.caughtBy, " "))
	words := slices.Concat([]string{"test", "-json", "-count=1", "-vet=off", "-trimpath", "-gcflags=-N -l", "-timeout=0"}, e.caughtBy[2:])
	if l.build {
		words = append(words, "-run=^$")
	}
	ctx, cancel := context.WithTimeout(ctx, l.limit)
	defer cancel()
	cmd := command(ctx, tree, "go", words...)
	cmd.Env = append(os.Environ(), "TMPDIR="+filepath.Join(l.shared, "tmp"))
	s := &suite{ended: map[string]string{}, built: true}
	w := newWatch(s.read)
	cmd.Stdout, cmd.Stderr = w, w
	err := cmd.Run()
	e.took = time.Since(w.began)
	if ctx.Err() != nil {
		reap(cmd)
	}
	failed, seen := w.end()
	e.judge(s, failed, err, ctx.Err() != nil, l.build)
	e.seen = seen
	if !e.fine() {
		e.note += w.tail()
		if err != nil {
			e.note += "\n" + err.Error()
		}
	}
}

// judge tells what the tests came to. All that are expected to fail have to,
// and on the tree as it is all of them have to pass: one that was renamed
// meanwhile does neither.
func (e *ending) judge(s *suite, failed []string, err error, late, buildOnly bool) {
	passed := 0
	for _, test := range e.expect {
		if slices.Contains(failed, test) {
			e.kinds = append(e.kinds, test)
		}
		if s.ended[test] == "pass" {
			passed++
		}
	}
	switch {
	case late:
		e.fate = tooLong
	case !s.built:
		e.fate = notBuilt
	case err == nil && buildOnly:
		e.fate = built
	case err == nil && passed == len(e.expect):
		e.fate = survived
	case err != nil && len(e.kinds) == len(e.expect):
		e.fate = killed
	default:
		e.fate = otherwise
		e.note = fmt.Sprintf("of %s, %d failed and %d passed\n", strings.Join(e.expect, ", "), len(e.kinds), passed)
	}
}
