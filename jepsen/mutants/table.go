package main

import (
	"fmt"
	"os"
	"strings"
)

// The marks around the block that a file keeps the table in.
const (
	blockBegin = "<!-- mutants: written by go run ./jepsen/mutants -table -->"
	blockEnd   = "<!-- /mutants -->"
)

// table is the kills in Markdown. When a test failed says little: most of it was
// compiling.
func table(ends []ending) string {
	var b strings.Builder
	b.WriteString("| mutant | bug | caught by | reported as | after |\n| --- | --- | --- | --- | --- |\n")
	for _, e := range ends {
		reported, after := "**"+string(e.fate)+"**", ""
		if e.fate == killed {
			reported = "`" + strings.Join(e.kinds, "`, `") + "`"
		}
		if e.fate == killed && !e.byTest() {
			after = seconds(e.seen)
		}
		fmt.Fprintf(&b, "| %s | %s | `%s` | %s | %s |\n", e.mutant, e.bug, strings.Join(e.caughtBy, " "), reported, after)
	}
	return b.String()
}

// rewrite puts the table between the marks of a file.
func rewrite(path, table string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, found := strings.Cut(string(b), blockBegin)
	_, after, closed := strings.Cut(rest, blockEnd)
	if !found || !closed {
		return fmt.Errorf("%s has no block between %q and %q", path, blockBegin, blockEnd)
	}
	text := before + blockBegin + "\n" + table + blockEnd + after
	return os.WriteFile(path, []byte(text), 0o644)
}
