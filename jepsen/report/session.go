package report

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	// fileSession holds the summaries, so that the page can be drawn again.
	fileSession = "session.json"
	// runsMax is how many runs the page of a session shows, the newest.
	runsMax = 1000
)

// WriteIndex writes the page of a session and what it is drawn from. It may be
// called after every run.
func WriteIndex(dir string, runs []Summary) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := writeJSON(dir, fileSession, runs, defaultLimits.run); err != nil {
		return err
	}
	var text bytes.Buffer
	if err := templates.ExecuteTemplate(&text, "session.html", sessionOf(runs)); err != nil {
		return fmt.Errorf("draw the session: %w", err)
	}
	return os.WriteFile(filepath.Join(dir, filePage), text.Bytes(), 0o644)
}

// ReadIndex reads the summaries of a session back.
func ReadIndex(dir string) ([]Summary, error) {
	var runs []Summary
	if err := readJSON(os.DirFS(dir), fileSession, &runs, defaultLimits.run); err != nil {
		return nil, fmt.Errorf("session %s: %w", dir, err)
	}
	for i, s := range runs {
		if s.Dir != "" && !filepath.IsLocal(s.Dir) {
			return nil, fmt.Errorf("session %s: run %d: its report %q is outside", dir, i, s.Dir)
		}
	}
	return runs, nil
}

// Judged puts the summary of a run that was judged again in the place of its
// former one.
func Judged(runs []Summary, s Summary) error {
	for i := range runs {
		if runs[i].Dir == s.Dir {
			runs[i] = s
			return nil
		}
	}
	return errors.New("the session has no run in " + s.Dir)
}

type session struct {
	OK        bool
	Headline  string
	Subtitle  string
	Line      string
	Tiles     []tile
	Workloads []string
	Runs      []sessionRun
	Left      int
}

type sessionRun struct {
	Summary
	Green     bool
	Cells     []sessionCell
	Failures  []string
	Length    string
	Gap       string
	Confirmed string
	Lost      int64
	Link      string
	Spark     string // the path of its confirms, in a box of 100 by 28
	Columns   int
}

type sessionCell struct {
	Cell
	Known bool
	Title string
}

func sessionOf(runs []Summary) session {
	t := Sum(runs)
	s := session{OK: t.OK(), Line: t.String(), Tiles: tilesOfSession(t, runs)}
	s.Headline = fmt.Sprintf("All %d runs are green", t.Runs)
	switch {
	case t.Runs == 0:
		s.Headline = "No run has ended yet"
	case len(t.Failed) > 0:
		s.Headline = fmt.Sprintf("%d of %d runs are not green", len(t.Failed), t.Runs)
	}
	if len(runs) > 0 {
		s.Subtitle = runs[0].Began.UTC().Format("2006-01-02 15:04:05 UTC")
	}
	s.Left = max(0, len(runs)-runsMax)
	runs = runs[s.Left:]
	for _, r := range runs {
		for _, c := range r.Cells {
			if len(s.Workloads) < columnsMax && !slices.Contains(s.Workloads, c.Workload) {
				s.Workloads = append(s.Workloads, c.Workload)
			}
		}
	}
	// The whole run's verdict stands last.
	slices.SortStableFunc(s.Workloads, func(x, y string) int { return cmp.Compare(b2i(x == ""), b2i(y == "")) })
	for _, r := range runs {
		s.Runs = append(s.Runs, s.row(r))
	}
	for i, w := range s.Workloads {
		s.Workloads[i] = clip(cmp.Or(w, wholeRun), nameMax)
	}
	return s
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (s session) row(r Summary) sessionRun {
	row := sessionRun{
		Summary: r, Green: r.OK(), Failures: r.Failures(), Length: span(r.Length), Gap: span(r.Gap),
		Confirmed: thousands(r.Confirmed), Lost: r.Lost + r.Unexpected + r.Ghost,
		Link: filepath.ToSlash(filepath.Join(r.Dir, filePage)), Spark: sparkOf(r.Confirms), Columns: len(s.Workloads) + 8,
	}
	if r.Dir == "" {
		row.Link = ""
	}
	for _, w := range s.Workloads {
		i := slices.IndexFunc(r.Cells, func(c Cell) bool { return c.Workload == w })
		if i < 0 {
			row.Cells = append(row.Cells, sessionCell{})
			continue
		}
		c := r.Cells[i]
		title := fmt.Sprintf("%s × %s: %s by %d checkers. %s", r.Nemesis, cmp.Or(w, wholeRun), c.Result, c.Checkers, c.First)
		row.Cells = append(row.Cells, sessionCell{Cell: c, Known: true, Title: clip(strings.TrimSpace(title), textMax)})
	}
	return row
}

func tilesOfSession(t Totals, runs []Summary) []tile {
	var length time.Duration
	var delivered, unknown int64
	faults, bites, bitten := 0, 0, true
	for _, r := range runs {
		length += r.Length
		delivered += r.Delivered
		unknown += r.Unknown
		faults += r.Faults
		bites += r.Bites
		bitten = bitten && r.Bitten
	}
	return []tile{
		{Name: "runs", Value: thousands(int64(t.Runs)), More: span(length) + " in all"},
		{Name: "cells", Value: thousands(int64(t.Cells)), More: fmt.Sprintf("%d under faults seen to bite", t.Bitten)},
		{Name: "confirmed", Value: thousands(t.Confirmed), More: thousands(delivered) + " delivered"},
		{Name: "lost", Value: thousands(t.Lost), More: fmt.Sprintf("%s unexpected, %s ghost", thousands(t.Unexpected), thousands(t.Ghost)),
			Bad: t.Lost+t.Unexpected+t.Ghost > 0},
		{Name: "unknown", Value: thousands(unknown), More: "outcomes"},
		{Name: "faults bit", Value: fmt.Sprintf("%d / %d", bites, faults), More: "of those made", Bad: !bitten},
	}
}

// sparkOf is the outline of the confirms, in a box of 100 by 28.
func sparkOf(confirms []int32) string {
	confirms = confirms[:min(len(confirms), sparkParts)]
	top := int32(1)
	for _, n := range confirms {
		top = max(top, n)
	}
	var b strings.Builder
	b.WriteString("M0 28")
	for i, n := range confirms {
		x := 100 * float64(i) / float64(len(confirms))
		y := 28 - 26*float64(max(n, 0))/float64(top)
		fmt.Fprintf(&b, "L%.1f %.1fH%.1f", x, y, x+100/float64(len(confirms)))
	}
	b.WriteString("L100 28Z")
	return b.String()
}
