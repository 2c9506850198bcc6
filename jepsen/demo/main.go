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

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/jepsen/history"
	"github.com/ferrymq/ferrymq/jepsen/nodes"
)

const (
	queue     = "demo"
	linesMin  = 200_000
	producers = 4
	consumers = 4
	// killAt is the share of the file that is confirmed when the leader dies.
	killAtPercent = 40
	// patience bounds the whole show.
	patience = 10 * time.Minute
)

func main() {
	binary := flag.String("ferry", "bin/ferry", "the ferry program")
	lines := flag.Int("lines", linesMin, "least number of lines to publish")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ctx, cancel := context.WithTimeout(ctx, patience)
	err := demo(ctx, *binary, *lines)
	cancel()
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// demo runs the show. Whatever happens, what it started is stopped and what it
// wrote is removed before it returns.
func demo(ctx context.Context, binary string, lines int) (err error) {
	dir, err := os.MkdirTemp("", "ferry-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	file, err := makeFile(ctx, dir, lines)
	if err != nil {
		return err
	}
	fmt.Printf("a file of %d lines (%.1f MiB) from the Go standard library\n", len(file.lines), float64(file.bytes)/(1<<20))

	cluster, err := nodes.NewCluster(nodes.Options{Binary: binary, Dir: dir})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cluster.Close()) }()
	if err := cluster.Start(ctx); err != nil {
		return err
	}
	for _, n := range cluster.Nodes() {
		fmt.Printf("node %s, process %d, %s\n", n.Name, n.Pid(), n.Addr)
	}
	admin, err := client.Dial(ctx, cluster.URL(0))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, admin.Close()) }()
	if err := admin.CreateQueue(ctx, queue, client.QueueSettings{}); err != nil {
		return err
	}
	s := &show{file: file, cluster: cluster, admin: admin, rec: history.NewRecorder()}
	return s.run(ctx)
}
