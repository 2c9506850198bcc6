package sim

import (
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

var (
	seeds  = flag.Uint64("seeds", 4, "how many seeds to run")
	from   = flag.Uint64("from", 1, "the first seed")
	length = flag.Duration("length", defaultLength, "simulated time with faults of each seed")
	trace  = flag.Bool("trace", false, "print the trace")
	debug  = flag.Bool("debug", false, "print the product's log")
)

// simulate runs one seed in a bubble.
func simulate(t *testing.T, seed uint64, out io.Writer) (r Result) {
	o := Options{Seed: seed, Length: *length, Trace: out}
	if *debug {
		o.Logger = slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{Level: slog.LevelInfo}))
	}
	synctest.Test(t, func(*testing.T) { r = Run(o) })
	return r
}

// TestSeeds runs seeds natively: fast, and not the same twice.
func TestSeeds(t *testing.T) {
	var out io.Writer
	if *trace {
		out = os.Stdout
	}
	for seed := *from; seed < *from+*seeds; seed++ {
		began := time.Now()
		r := simulate(t, seed, out)
		fmt.Printf("%s in %.2fs\n", r, time.Since(began).Seconds())
		if len(r.Wrong) > 0 {
			t.Errorf("seed %d is red", seed)
		}
	}
}
