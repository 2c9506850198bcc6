package progress

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
)

// state is what is shown. The display's goroutine owns it.
type state struct {
	out  io.Writer
	bar  *progressbar.ProgressBar // nil: no terminal
	runs int

	columns func() int // of the terminal

	began     int // runs that began
	running   bool
	run       Run
	phase     string
	since     time.Time
	confirmed int64 // in runs that ended
}

// parts is the length of the bar in steps. Its last one is kept for the end:
// a bar that is full is not drawn again.
const parts = 1000

// The bar takes barColumns, and percentColumns with the figure before it and
// the space around.
const (
	barColumns     = 16
	percentColumns = barColumns + 10
)

func newBar(out io.Writer) *progressbar.ProgressBar {
	return progressbar.NewOptions(parts, progressbar.OptionSetWriter(out), progressbar.OptionSetWidth(barColumns),
		progressbar.OptionSetPredictTime(false), progressbar.OptionSetElapsedTime(false), progressbar.OptionThrottle(0), progressbar.OptionShowDescriptionAtLineEnd(),
		progressbar.OptionSetTheme(progressbar.Theme{Saucer: "█", SaucerPadding: "░", BarStart: " ", BarEnd: ""}))
}

func (s *state) begin(r Run) {
	s.began++
	s.running, s.run, s.phase, s.since = true, r, "", time.Now()
	if s.bar == nil {
		s.print(fmt.Sprintf("run %d of %d: %s, about %d s", s.began, s.runs, r.Name, wholeSeconds(r.Length)))
		return
	}
	s.draw()
}

func (s *state) setPhase(name string) {
	s.phase = name
	s.draw()
}

func (s *state) say(line string) {
	if s.bar != nil {
		s.check(s.bar.Clear())
	}
	s.print("  " + line)
	s.draw()
}

func (s *state) end(ok bool, line string) {
	s.confirmed, s.running = s.total(), false
	if s.bar != nil {
		s.check(s.bar.Clear())
	}
	s.print(fmt.Sprintf("%s %*d/%d  %s", s.mark(ok), len(strconv.Itoa(s.runs)), s.began, s.runs, line))
	s.draw()
}

// mark is green or red on a terminal whose owner wants colours.
func (s *state) mark(ok bool) string {
	colour := s.bar != nil && os.Getenv("NO_COLOR") == ""
	switch {
	case ok && colour:
		return "\x1b[32m✓\x1b[0m"
	case ok:
		return "ok    "
	case colour:
		return "\x1b[31m✗\x1b[0m"
	}
	return "FAILED"
}

func (s *state) total() int64 {
	if s.running && s.run.Confirmed != nil {
		return s.confirmed + s.run.Confirmed()
	}
	return s.confirmed
}

func (s *state) draw() {
	if s.bar == nil {
		return
	}
	s.bar.Describe(s.fit(s.describe()))
	s.check(s.bar.Set(s.position()))
}

// position counts a run that takes longer than was thought as not yet ended.
func (s *state) position() int {
	ended := float64(s.began)
	if s.running {
		ended--
		if s.run.Length > 0 {
			ended += min(0.98, float64(time.Since(s.since))/float64(s.run.Length))
		}
	}
	return min(parts-1, int(parts*ended/float64(s.runs)))
}

// fit cuts a description to what the terminal has room for: a line that wraps
// cannot be drawn over.
func (s *state) fit(text string) string { return cut(text, s.columns()-percentColumns) }

func cut(text string, columns int) string {
	runes := []rune(text)
	switch {
	case len(runes) <= columns:
		return text
	case columns < 1:
		return ""
	}
	return string(runes[:columns-1]) + "…"
}

func (s *state) describe() string {
	if !s.running {
		return fmt.Sprintf("%d of %d ended, %s confirmed", s.began, s.runs, thousands(s.total()))
	}
	what := "ending"
	if left := s.run.Length - time.Since(s.since); left > 0 {
		what = fmt.Sprintf("%d s left", wholeSeconds(left))
	}
	if s.phase != "" {
		what = s.phase + ", " + what
	}
	before := fmt.Sprintf("%d/%d ", s.began, s.runs)
	after := fmt.Sprintf(": %s, %s confirmed", what, thousands(s.total()))
	return before + cut(s.run.Name, s.columns()-percentColumns-len(before)-len(after)) + after
}

func wholeSeconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }

func thousands(n int64) string {
	text := strconv.FormatInt(n, 10)
	var b strings.Builder
	for i, digit := range text {
		if i > 0 && (len(text)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(digit)
	}
	return b.String()
}

func (s *state) print(line string) {
	_, err := fmt.Fprintln(s.out, line)
	s.check(err)
}

// check tells of a display that cannot be written to; no run fails for it.
func (s *state) check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "progress:", err)
	}
}

// finish leaves the last state of the bar on the screen.
func (s *state) finish() {
	if s.bar == nil {
		return
	}
	s.running = false
	s.bar.Describe(s.fit(s.describe()))
	if s.began >= s.runs {
		s.check(s.bar.Set(parts))
	}
	s.print("")
}
