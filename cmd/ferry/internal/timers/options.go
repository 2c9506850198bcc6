package timers

import (
	"errors"
	"fmt"
	"time"
)

// Bounds and defaults.
const (
	NDefault      = 1_000_000
	WindowDefault = 10 * time.Minute
	RateDefault   = 5000
	LimitDefault  = 100 * time.Millisecond

	nMax       = 10_000_000
	rateMax    = 100_000
	windowMin  = time.Second
	windowMax  = time.Hour
	limitMin   = time.Millisecond
	limitMax   = time.Minute
	bodyBytes  = 32
	batch      = 1000 // timers of a publish
	loaders    = 4    // publishes under way
	consumers  = 2    // of the timers, a connection each
	prefetch   = 2048
	behindPart = 50 // a window's 50th is what the steady load may lag, besides the limit

	// loadPerSecond is how many timers a second loading is given time for. If
	// it takes longer it begins anew, with loadMore times as much.
	loadPerSecond = 15_000
	loadLeast     = 1500 * time.Millisecond
	loadSpare     = 500 * time.Millisecond // of that, for the consumers to attach
	loadMore      = 3
	loadTries     = 4

	requestTimeout = time.Minute      // a publish into a busy cluster waits so long
	drainTimeout   = 60 * time.Second // for what is missing when the window is over
)

// Options of a run. All are required.
type Options struct {
	URL    string
	N      int           // timers
	Window time.Duration // in which they are due, uniformly
	Rate   int           // messages published, delivered and acked a second meanwhile; may be 0
	Limit  time.Duration // p99 of lateness, at most
	Say    func(format string, args ...any)
	Tick   func(due uint64) // told every second how many have arrived
}

// Validate returns every mistake.
func (o Options) Validate() error {
	var errs []error
	between := func(name string, ok bool, v, low, high any) {
		if !ok {
			errs = append(errs, fmt.Errorf("--%s: %v is not between %v and %v", name, v, low, high))
		}
	}
	between("n", o.N >= 1 && o.N <= nMax, o.N, 1, nMax)
	between("window", o.Window >= windowMin && o.Window <= windowMax, o.Window, windowMin, windowMax)
	between("rate", o.Rate >= 0 && o.Rate <= rateMax, o.Rate, 0, rateMax)
	between("limit", o.Limit >= limitMin && o.Limit <= limitMax, o.Limit, limitMin, limitMax)
	return errors.Join(errs...)
}
