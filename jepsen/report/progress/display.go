package progress

import (
	"fmt"
	"io"
	"sync"
	"time"

	"golang.org/x/term"
)

// refresh is how often the bar is drawn.
const refresh = 200 * time.Millisecond

// Display shows one session. One goroutine owns what is shown and does all the
// writing; every method returns when its part has been written. After Stop the
// methods do nothing.
type Display struct {
	requests chan func(*state)
	stopping chan struct{}
	done     chan struct{} // closed when the goroutine has ended
	stop     sync.Once
}

// Run is one that begins.
type Run struct {
	Name   string
	Length time.Duration // about, with everything that belongs to it

	// Confirmed tells how many publishes are confirmed so far in this run. It
	// is called from the display's goroutine.
	Confirmed func() int64
}

// New begins a session of so many runs. It draws a bar if out is a terminal.
func New(out io.Writer, runs int) *Display {
	if file, is := out.(interface{ Fd() uintptr }); is && term.IsTerminal(int(file.Fd())) {
		return begin(out, runs, func() int { return columns(int(file.Fd())) })
	}
	return begin(out, runs, nil)
}

// columns of a terminal, which may change; 80 if it does not say.
func columns(fd int) int {
	width, _, err := term.GetSize(fd)
	if err != nil || width <= 0 {
		return 80
	}
	return width
}

// begin draws a bar if it is told how to ask for the terminal's width.
func begin(out io.Writer, runs int, columns func() int) *Display {
	d := &Display{requests: make(chan func(*state)), stopping: make(chan struct{}), done: make(chan struct{})}
	s := &state{out: out, runs: max(1, runs), columns: columns}
	if columns != nil {
		s.bar = newBar(out)
	}
	go d.serve(s)
	return d
}

func (d *Display) serve(s *state) {
	defer close(d.done)
	var due <-chan time.Time
	if s.bar != nil {
		tick := time.NewTicker(refresh)
		defer tick.Stop()
		due = tick.C
	}
	for {
		select {
		case request := <-d.requests:
			request(s)
		case <-d.stopping:
			s.finish()
			return
		case <-due:
			s.draw()
		}
	}
}

func (d *Display) ask(request func(*state)) {
	served := make(chan struct{})
	select {
	case d.requests <- func(s *state) { defer close(served); request(s) }:
		<-served
	case <-d.done:
	}
}

// Begin shows that the next run begins.
func (d *Display) Begin(r Run) { d.ask(func(s *state) { s.begin(r) }) }

// Phase names what the run does now: "healing", "draining", "checking".
func (d *Display) Phase(name string) { d.ask(func(s *state) { s.setPhase(name) }) }

// Say writes a line; the bar goes on below it.
func (d *Display) Say(format string, args ...any) {
	d.ask(func(s *state) { s.say(fmt.Sprintf(format, args...)) })
}

// End writes the line of the run that began last.
func (d *Display) End(ok bool, format string, args ...any) {
	d.ask(func(s *state) { s.end(ok, fmt.Sprintf(format, args...)) })
}

// Stop ends the display, and waits until it has.
func (d *Display) Stop() {
	d.stop.Do(func() { close(d.stopping) })
	<-d.done
}
