package main

import (
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/ferrymq/ferrymq/jepsen/history"
)

// screen is the one progress display: a bar on a terminal, and elsewhere a line
// for every tenth. What is said comes above it.
type screen struct {
	rec   *history.Recorder
	total int
	bar   *progressbar.ProgressBar // nil: no terminal

	mu     sync.Mutex
	tenths int
	done   chan struct{}
	drawn  sync.WaitGroup
	once   sync.Once
}

// refresh is how often the screen is drawn.
const refresh = 100 * time.Millisecond

func newScreen(total int, rec *history.Recorder) *screen {
	s := &screen{rec: rec, total: total, done: make(chan struct{})}
	if term.IsTerminal(int(os.Stdout.Fd())) {
		s.bar = progressbar.NewOptions(total,
			progressbar.OptionSetWriter(os.Stdout), progressbar.OptionShowCount(), progressbar.OptionShowIts(),
			progressbar.OptionSetItsString("confirmed"), progressbar.OptionSetPredictTime(false), progressbar.OptionSetWidth(32),
			progressbar.OptionSetTheme(progressbar.Theme{Saucer: "█", SaucerPadding: "░", BarStart: "", BarEnd: ""}))
	}
	s.drawn.Go(s.draw)
	return s
}

func (s *screen) draw() {
	tick := time.NewTicker(refresh)
	defer tick.Stop()
	for {
		select {
		case <-s.done:
			s.show()
			return
		case <-tick.C:
			s.show()
		}
	}
}

func (s *screen) show() {
	c := s.rec.Counts()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bar != nil {
		s.bar.Describe(fmt.Sprintf("delivered %6d", c.Delivered))
		s.check(s.bar.Set64(c.Confirmed))
		return
	}
	if tenths := int(c.Confirmed) * 10 / s.total; tenths > s.tenths {
		s.tenths = tenths
		fmt.Printf("%3d %%  confirmed %d, delivered %d\n", tenths*10, c.Confirmed, c.Delivered)
	}
}

// say prints a line; the bar goes on below it.
func (s *screen) say(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bar != nil {
		s.check(s.bar.Clear())
	}
	fmt.Printf("  ==> "+format+"\n", args...)
}

func (s *screen) check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
}

// stop ends the display.
func (s *screen) stop() {
	s.once.Do(func() {
		close(s.done)
		s.drawn.Wait()
		if s.bar != nil {
			fmt.Println()
		}
	})
}
