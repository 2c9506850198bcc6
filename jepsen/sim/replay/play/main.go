// Command play replays one seed of the simulation and prints its trace.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/ferrymq/ferrymq/jepsen/sim/replay"
)

func main() {
	seed := flag.Uint64("seed", 1, "the seed")
	length := flag.Duration("length", 70*time.Second, "simulated time with faults")
	only := flag.String("only", "", "the one workload to run (default: all)")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := play(ctx, *seed, *length, *only); err != nil {
		fmt.Fprintln(os.Stderr, "sim:", err)
		os.Exit(1)
	}
}

func play(ctx context.Context, seed uint64, length time.Duration, only string) error {
	p, err := replay.Build(ctx, replay.CacheDir())
	if err != nil {
		return err
	}
	out := os.Stdout
	began := time.Now()
	var more []string
	if only != "" {
		more = []string{"-only", only}
	}
	err = p.Run(ctx, seed, length, out, more...)
	err = errors.Join(err, p.Close(context.Background()))
	fmt.Fprintf(os.Stderr, "replayed in %.1f s\n", time.Since(began).Seconds())
	return err
}
