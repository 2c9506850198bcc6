package workload

import (
	"context"
	"math/rand/v2"
	"net"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/jepsen/check"
	"github.com/ferrymq/ferrymq/jepsen/history"
)

// FullRate is the rate of a real cluster, to which the checkers' floors at
// scale 1 belong. They leave room for faults that stop everything for half of
// the time.
const FullRate = 1000

// syncRate bounds the rate of a producer that waits for each confirmation: it
// comes to no more than the cluster's time for one allows.
const syncRate = 40

// Env is what a workload is given.
type Env struct {
	// Dial connects a client that begins at the i-th node, modulo their
	// number. Options given here come after those that it adds by itself.
	Dial func(ctx context.Context, i int, opts ...client.Option) (*client.Conn, error)

	// Net is how Dial reaches a node, nil for TCP: a workload that breaks its
	// own connections wraps it.
	Net func(ctx context.Context, addr string) (net.Conn, error)

	Recorder *history.Recorder
	Rand     *rand.Rand // for this workload alone

	// Rate is how many messages a second the workload publishes, about.
	Rate float64
}

// Workload is one kind of traffic. Its methods are called in the order in
// which they stand here, each once, from one goroutine; Drain also when Run
// has failed, because what Run has started ends there.
type Workload interface {
	// Name is unique among workloads, and the prefix of the names of its queues.
	Name() string

	// Setup makes the queues, while nothing is broken.
	Setup(ctx context.Context, e *Env) error

	// Run works until ctx ends. It returns when every publish has its
	// outcome, which is bounded by the clients' request timeout; its error is
	// something that no fault excuses. Consumers outlive it: one that a fault
	// has stopped for good is to be found when the queues are drained.
	Run(ctx context.Context, e *Env) error

	// Drain empties the queues when everything is healed, and returns when
	// nothing is left, or with an error when ctx ends. Nothing of the workload
	// is running then, and every operation has its outcome.
	Drain(ctx context.Context, e *Env) error

	// Checkers judge the workload. Scale is a floor's factor: 1 for a run of
	// ten seconds at the rate of a real cluster.
	Checkers(scale float64) []check.Checker
}

// floor is how much of something a checker has to have seen.
func floor(n, scale float64) int64 { return int64(n * scale) }
