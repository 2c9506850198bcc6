package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ferrymq/ferrymq/client"
)

// screen shows a run: events as lines, and below them on a terminal the state of
// the shop, drawn again and again in the same place. Elsewhere the state is a line
// now and then.
type screen struct {
	out     io.Writer
	colours bool

	mu    sync.Mutex
	began time.Time
	up    map[string]bool // nodes
	drawn int             // lines of the state on the terminal
	last  time.Time       // line of state elsewhere
	state []string
}

const (
	// plainTime is how often the state is told where there is no terminal.
	plainTime = 3 * time.Second
	// A bar has at most so many blocks, each of so many messages.
	barMax  = 12
	barUnit = 20
)

const (
	bold, red, green, yellow, grey, plain = "\x1b[1m", "\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[90m", "\x1b[0m"
)

func newScreen(out io.Writer, colours bool) *screen {
	return &screen{out: out, colours: colours, up: map[string]bool{}, began: time.Now()}
}

// begin has the clock start.
func (s *screen) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.began = time.Now()
}

func (s *screen) setNode(name string, up bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.up[name] = up
}

// say tells an event.
func (s *screen) say(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	text := s.paint(grey, fmt.Sprintf("%6.1fs", time.Since(s.began).Seconds())) + "  ==> " + fmt.Sprintf(format, args...)
	s.print(append([]string{text}, s.state...), len(s.state))
}

// draw shows the state.
func (s *screen) draw(v view) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.colours:
		s.state = s.table(v)
		s.print(s.state, len(s.state))
	case time.Since(s.last) >= plainTime:
		s.last = time.Now()
		s.print([]string{fmt.Sprintf("%6.1fs  placed %d, shipped %d, dead %d; waiting: %s",
			time.Since(s.began).Seconds(), v.placed, v.shipped(), v.dead(), summary(v.queues))}, 0)
	}
}

// end shows the state as it is in the end, and leaves it there.
func (s *screen) end(v view) {
	s.mu.Lock()
	s.last = time.Time{}
	s.mu.Unlock()
	s.draw(v)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state, s.drawn = nil, 0
}

// print writes lines over the state that was drawn last; the last of them, kept,
// are state themselves.
func (s *screen) print(lines []string, kept int) {
	var text strings.Builder
	if s.drawn > 0 {
		fmt.Fprintf(&text, "\x1b[%dA\x1b[J", s.drawn)
	}
	for _, line := range lines {
		text.WriteString(line + "\n")
	}
	s.drawn = kept
	fmt.Fprint(s.out, text.String())
}

func (s *screen) paint(colour, text string) string {
	if !s.colours {
		return text
	}
	return colour + text + plain
}

// table is the state for a terminal.
func (s *screen) table(v view) []string {
	lines := []string{"", s.paint(bold, fmt.Sprintf("%-10s %7s %4s %5s %6s %4s", "", "waiting", "held", "again", "done", "dead"))}
	for _, name := range stages {
		q := v.queues[name]
		waits := q.Ready + q.Scheduled
		lines = append(lines, fmt.Sprintf("%-10s %7d %4d %5d %6d %4d  %s%s",
			name, waits, q.Leased, q.Retrying, q.Acked, q.Dead, s.bar(waits), s.breaker(q)))
	}
	return append(lines, "",
		fmt.Sprintf("%s   placed %d   shipped %d   dead %d", s.nodes(v.leader), v.placed, v.shipped(), v.dead()),
		fmt.Sprintf("outside: %d charges, %d refunds, %d mails, %d beeps, %d repeats",
			len(v.world.charges), len(v.world.refunds), len(v.world.mails), len(v.world.pushes), v.world.again()))
}

func (s *screen) bar(messages uint64) string {
	blocks := min(int(messages+barUnit-1)/barUnit, barMax)
	return s.paint(yellow, strings.Repeat("█", blocks))
}

func (s *screen) breaker(q client.QueueInfo) string {
	switch q.Breaker.State {
	case client.BreakerOpen:
		return s.paint(red, fmt.Sprintf(" breaker open, %.0f s", max(0, time.Until(q.Breaker.Until).Seconds())))
	case client.BreakerHalfOpen:
		return s.paint(yellow, " breaker half open")
	case client.BreakerClosed:
		return s.paint(green, " breaker closed")
	}
	return ""
}

func (s *screen) nodes(leader string) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(s.up)) {
		switch {
		case !s.up[name]:
			all = append(all, s.paint(red, name+" ✗"))
		case name == leader:
			all = append(all, s.paint(green, name+" ★"))
		default:
			all = append(all, s.paint(green, name+" ●"))
		}
	}
	return strings.Join(all, "  ")
}

// summary is the state in a line.
func summary(all map[string]client.QueueInfo) string {
	var parts []string
	for _, name := range stages {
		q := all[name]
		part := fmt.Sprintf("%s %d", name, q.Ready+q.Leased+q.Scheduled+q.Retrying+q.Parked)
		if b := q.Breaker.State; b == client.BreakerOpen || b == client.BreakerHalfOpen {
			part += fmt.Sprintf(" (breaker %s)", b)
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ", ")
}

// shipped orders: all that left the last stage.
func (v view) shipped() uint64 { return v.queues[shipping].Acked }

func (v view) dead() (n uint64) {
	for _, name := range orderStages {
		n += v.queues[name].Dead
	}
	return n
}

// again is how often the world was asked for what it had done.
func (e effects) again() (n int) {
	for _, count := range e.repeats {
		n += count
	}
	return n
}
