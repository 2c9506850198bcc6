package load

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/cmd/ferry/internal/latency"
)

// Run runs one workload. tick, unless nil, is told every second how many
// messages are through.
func Run(ctx context.Context, o Options, tick func(messages uint64)) (Result, error) {
	if err := o.Validate(); err != nil {
		return Result{}, err
	}
	o = o.withDefaults()
	r := &run{o: o, queue: o.Queue, flow: flow{moved: make(chan struct{}, 1)}}
	defer r.close()
	if err := r.open(ctx); err != nil {
		return Result{}, err
	}
	r.meter = newMeter(o, time.Now())
	stop := every(time.Second, func() {
		if tick != nil {
			tick(r.meter.counted.Load())
		}
	})
	latencies, err := r.work(ctx)
	stop()
	if err != nil {
		r.meter.ended(time.Now())
	}
	result := Result{Workload: o.Workload, Size: o.Size, Connections: o.Connections, Total: r.meter.total.Load(), Errors: r.meter.errors.Load()}
	result.fill(r.meter.counted.Load(), r.meter.measured(), latencies)
	if first := r.meter.first; first != nil {
		result.FirstError = first.Error()
	}
	return result, errors.Join(err, r.removeQueue(ctx))
}

// run is one run under way.
type run struct {
	o     Options
	queue string
	own   bool // the queue was made here
	conns []*client.Conn
	meter *meter
	flow  flow
}

func (r *run) open(ctx context.Context) error {
	connections := r.o.Connections
	if r.o.Workload == EndToEnd {
		connections *= 2 // producers, then consumers
	}
	for range connections {
		dial, cancel := context.WithTimeout(ctx, r.o.Timeout)
		c, err := client.Dial(dial, r.o.URL, client.WithName("ferry-bench"), client.WithRequestTimeout(r.o.Timeout),
			client.WithMaxInFlight(r.o.Window, max(windowBytes, 2*r.o.Size)))
		cancel()
		if err != nil {
			return fmt.Errorf("connect to %s: %w", r.o.URL, err)
		}
		r.conns = append(r.conns, c)
	}
	if r.queue != "" {
		_, err := r.conns[0].Queue(ctx, r.queue)
		return err
	}
	var random [4]byte
	if _, err := rand.Read(random[:]); err != nil {
		return err
	}
	r.queue = "bench-" + hex.EncodeToString(random[:])
	if err := r.conns[0].CreateQueue(ctx, r.queue, client.QueueSettings{}); err != nil {
		return err
	}
	r.own = true
	return nil
}

func (r *run) removeQueue(ctx context.Context) error {
	if !r.own {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.o.Timeout)
	defer cancel()
	if err := r.conns[0].DeleteQueue(ctx, r.queue); err != nil {
		return err
	}
	return nil
}

// close ends the connections; what was measured is measured.
func (r *run) close() {
	for _, c := range r.conns {
		_ = c.Close()
	}
}

// work runs the workload on every connection and merges what they measured.
func (r *run) work(ctx context.Context) (latency.Set, error) {
	all := latency.New()
	each := make([]latency.Set, r.o.Connections)
	errs := make([]error, r.o.Connections)
	var wg sync.WaitGroup
	for i := range r.o.Connections {
		each[i] = latency.New()
		wg.Go(func() {
			switch r.o.Workload {
			case PublishSingle:
				errs[i] = r.single(ctx, r.conns[i], each[i])
			case EndToEnd:
				errs[i] = r.endToEnd(ctx, r.conns[i], r.conns[r.o.Connections+i], each[i])
			default:
				errs[i] = r.publish(ctx, r.conns[i], each[i])
			}
		})
	}
	wg.Wait()
	for _, l := range each {
		all.Merge(l)
	}
	if ctx.Err() != nil {
		return all, ctx.Err() // which each of them says in its own way
	}
	return all, errors.Join(errs...)
}

// body makes a message: when it was sent, then filling.
func (r *run) body() []byte {
	b := make([]byte, r.o.Size)
	binary.BigEndian.PutUint64(b, uint64(time.Now().UnixNano()))
	return b
}

// every calls f regularly until the function returned is called.
func every(d time.Duration, f func()) (stop func()) {
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		t := time.NewTicker(d)
		defer t.Stop()
		for {
			select {
			case <-quit:
				return
			case <-t.C:
				f()
			}
		}
	}()
	return func() { close(quit); <-done }
}
