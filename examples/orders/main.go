package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/term"
)

func main() {
	if err := command(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "orders:", err)
		os.Exit(1)
	}
}

// command is `orders [flags]`, the show, or `orders service NAME [flags]`, one of
// its services.
func command(args []string) error {
	if len(args) > 1 && args[0] == "service" {
		return serviceCommand(args[1], args[2:])
	}
	return showCommand(args)
}

func serviceCommand(kind string, args []string) error {
	flags := flag.NewFlagSet("service", flag.ContinueOnError)
	url := flags.String("url", "ferry://127.0.0.1:7700", "the cluster")
	outside := flags.String("outside", "", "address of the providers")
	if err := flags.Parse(args); err != nil {
		return err
	}
	log.SetFlags(log.Ltime | log.Lmicroseconds)
	return serve(kind, *url, *outside)
}

func showCommand(args []string) error {
	flags := flag.NewFlagSet("orders", flag.ContinueOnError)
	ferry := flags.String("ferry", "bin/ferry", "the ferry program")
	seed := flags.Uint64("seed", 1, "of what is ordered")
	count := flags.Int("orders", 1500, "how many are placed")
	length := flags.Duration("time", 40*time.Second, "in which they are placed; what is on its way takes a little longer")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *count < 1 || *length < time.Second {
		return errors.New("--orders has to be 1 at least, and --time 1s")
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	v, err := run(ctx, options{
		ferry: *ferry, self: self, seed: *seed, count: *count, length: *length,
		out: os.Stdout, colours: term.IsTerminal(int(os.Stdout.Fd())),
		copies: 2, paymentRate: max(20, *count*3/2/int(length.Seconds())), story: fullStory(),
		away: 2 * time.Second, outage: 3 * time.Second, patience: *length + 5*time.Minute,
	})
	if err != nil {
		return err
	}
	return v.err()
}
