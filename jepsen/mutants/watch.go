package main

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	tailLines = 30       // of a run that did not kill, for a person
	lineMax   = 64 << 10 // of a line that is looked at
)

// watch reads what a run prints, and notes what it reports, and when first.
type watch struct {
	began time.Time
	read  func(line string) (text string, kinds []string)

	mu    sync.Mutex // a run prints to two streams
	line  []byte
	last  []string // the last lines
	kinds []string
	seen  time.Duration // of the first
}

func newWatch(read func(line string) (text string, kinds []string)) *watch {
	return &watch{began: time.Now(), read: read}
}

// problems reads the lines of a run of ferry: a problem is reported as
// "kind=3", or as "kind: what happened" in a list.
func problems(kinds []string) func(line string) (text string, found []string) {
	kind := "(" + strings.Join(kinds, "|") + ")"
	pattern := regexp.MustCompile(`(?:^|[^a-z_])` + kind + `=[1-9]|; ` + kind + `: `)
	return func(line string) (string, []string) {
		var found []string
		for _, match := range pattern.FindAllStringSubmatch(line, -1) {
			found = append(found, match[1]+match[2])
		}
		return line, found
	}
}

// Write implements io.Writer.
func (w *watch) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for rest := p; len(rest) > 0; {
		part, after, whole := bytes.Cut(rest, []byte{'\n'})
		w.line = append(w.line, part[:min(len(part), lineMax-min(lineMax, len(w.line)))]...)
		if whole {
			w.take()
		}
		rest = after
	}
	return len(p), nil
}

// take looks at a line that is complete. The mutex is held.
func (w *watch) take() {
	text, kinds := w.read(string(w.line))
	w.line = w.line[:0]
	if text != "" {
		if len(w.last) == tailLines {
			w.last = append(w.last[:0], w.last[1:]...)
		}
		w.last = append(w.last, text)
	}
	for _, kind := range kinds {
		if len(w.kinds) == 0 {
			w.seen = time.Since(w.began)
		}
		if !slices.Contains(w.kinds, kind) {
			w.kinds = append(w.kinds, kind)
		}
	}
}

// end takes what is left, and tells what was seen, and when for the first time.
func (w *watch) end() (kinds []string, seen time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.line) > 0 {
		w.take()
	}
	return w.kinds, w.seen
}

// tail is the last lines.
func (w *watch) tail() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Join(w.last, "\n")
}
