package store

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// guard runs the calls into a library on its own workers and gives up on one
// that exceeds the deadline, because a goroutine inside a hung system call
// cannot be woken. The caller then gets an error while the worker stays behind.
type guard struct {
	poison   *poison
	deadline time.Duration
	fatalAny bool // every error of a write is fatal; of a read only the system's

	jobs chan *job
	stop chan struct{}
	once sync.Once
	wg   sync.WaitGroup
}

type job struct {
	run  func() error
	done chan error // holds one, so that a late worker never blocks
}

// newWriteGuard has one worker: writes keep their order.
func newWriteGuard(p *poison, deadline time.Duration) *guard {
	return newGuard(p, deadline, 1, true)
}

func newReadGuard(p *poison, deadline time.Duration) *guard {
	return newGuard(p, deadline, readWorkers, false)
}

// readWorkers bounds the reads in flight, so that a follower that catches up
// does not wait for each fsync of the log.
const readWorkers = 4

func newGuard(p *poison, deadline time.Duration, workers int, fatalAny bool) *guard {
	g := &guard{poison: p, deadline: deadline, fatalAny: fatalAny, jobs: make(chan *job), stop: make(chan struct{})}
	for range workers {
		g.wg.Go(g.work)
	}
	return g
}

func (g *guard) work() {
	for {
		select {
		case j := <-g.jobs:
			j.done <- safely(j.run)
		case <-g.stop:
			return
		}
	}
}

// do runs one call. Whatever run writes must be its own until do has returned
// nil: after a timeout it may still be running.
func (g *guard) do(op string, run func() error) error {
	if err := g.poison.err(); err != nil {
		return err
	}
	start := time.Now()
	step := time.NewTimer(g.deadline / deadlineSteps)
	defer step.Stop()
	j := &job{run: run, done: make(chan error, 1)}
	jobs := g.jobs
	for steps := 0; steps < deadlineSteps; {
		select {
		case jobs <- j:
			jobs = nil
		case err := <-j.done:
			return g.judge(op, err)
		case <-g.stopped(jobs):
			return ErrClosed
		case <-g.poison.done:
			return g.poison.err()
		case <-step.C:
			steps++
			step.Reset(g.deadline / deadlineSteps)
		}
	}
	return g.hung(op, start)
}

// deadlineSteps is in how many steps a deadline passes. A process that was
// paused, or its whole machine, sees one step end late, however long that was:
// it does not take its own absence for a disk that hangs.
const deadlineSteps = 8

// stopped is closed when a call that no worker has taken will not be taken any
// more; a call that is under way is waited for.
func (g *guard) stopped(jobs chan<- *job) <-chan struct{} {
	if jobs == nil {
		return nil
	}
	return g.stop
}

func (g *guard) hung(op string, start time.Time) error {
	took := time.Since(start)
	g.poison.hang(op, took)
	return fmt.Errorf("%s after %v: %w", op, took, ErrHung)
}

func (g *guard) judge(op string, err error) error {
	if err == nil || errors.Is(err, raft.ErrLogNotFound) || errors.Is(err, ErrNotFound) {
		return err // raft compares these by identity
	}
	if g.fatalAny || isIO(err) {
		err = fmt.Errorf("%s: %w", op, err)
		g.poison.fatal(err)
	}
	return err
}

// close stops the workers. It gives a worker that is still inside a call the
// deadline to come back, and reports ErrHung if it does not.
func (g *guard) close() error {
	g.once.Do(func() { close(g.stop) })
	back := make(chan struct{})
	go func() {
		g.wg.Wait()
		close(back)
	}()
	timer := time.NewTimer(g.deadline)
	defer timer.Stop()
	select {
	case <-back:
		return nil
	case <-timer.C:
		return fmt.Errorf("close: %w", ErrHung)
	}
}

// errPanic is a panic of a library: it met bytes that it never wrote.
var errPanic = errors.New("panic in the store")

// safely turns a panic into an error. Both libraries panic on bytes that they
// never wrote, and bbolt faults when the disk cannot serve a mapped page.
func safely(run func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		r := recover()
		if r == nil {
			return
		}
		if fault, ok := r.(interface{ Addr() uintptr }); ok {
			err = fmt.Errorf("%w at %#x", errFault, fault.Addr())
			return
		}
		if bug, ok := r.(runtime.Error); ok {
			err = fmt.Errorf("%w: %w", errPanic, bug)
			return
		}
		err = fmt.Errorf("%w: %v", errPanic, r)
	}()
	return run()
}

// deadlineLog is a log store behind guards.
type deadlineLog struct {
	next          raft.LogStore
	reads, writes *guard
}

func (d *deadlineLog) FirstIndex() (uint64, error) { return d.index("first index", d.next.FirstIndex) }
func (d *deadlineLog) LastIndex() (uint64, error)  { return d.index("last index", d.next.LastIndex) }

func (d *deadlineLog) index(op string, read func() (uint64, error)) (uint64, error) {
	got := make(chan uint64, 1)
	err := d.reads.do(op, func() error {
		i, err := read()
		got <- i
		return err
	})
	if err != nil {
		return 0, err
	}
	return <-got, nil
}

func (d *deadlineLog) GetLog(index uint64, log *raft.Log) error {
	own := new(raft.Log)
	err := d.reads.do("get log", func() error { return d.next.GetLog(index, own) })
	if err == nil {
		*log = *own
	}
	return err
}

func (d *deadlineLog) StoreLog(log *raft.Log) error { return d.StoreLogs([]*raft.Log{log}) }

func (d *deadlineLog) StoreLogs(logs []*raft.Log) error {
	return d.writes.do("store logs", func() error { return d.next.StoreLogs(logs) })
}

func (d *deadlineLog) DeleteRange(min, max uint64) error {
	return d.writes.do("delete range", func() error { return d.next.DeleteRange(min, max) })
}

// IsMonotonic passes the property of the wrapped store on: raft asks the
// store it was given.
func (d *deadlineLog) IsMonotonic() bool { return isMonotonic(d.next) }

func isMonotonic(l raft.LogStore) bool {
	m, ok := l.(raft.MonotonicLogStore)
	return ok && m.IsMonotonic()
}

// deadlineStable is a stable store behind a guard.
type deadlineStable struct {
	next   raft.StableStore
	reads  *guard
	writes *guard
}

func (d *deadlineStable) Set(key, val []byte) error {
	return d.writes.do("set", func() error { return d.next.Set(key, val) })
}

func (d *deadlineStable) SetUint64(key []byte, val uint64) error {
	return d.writes.do("set", func() error { return d.next.SetUint64(key, val) })
}

func (d *deadlineStable) Get(key []byte) ([]byte, error) {
	got := make(chan []byte, 1)
	err := d.reads.do("get", func() error {
		val, err := d.next.Get(key)
		got <- val
		return err
	})
	if err != nil {
		return nil, err
	}
	return <-got, nil
}

func (d *deadlineStable) GetUint64(key []byte) (uint64, error) {
	got := make(chan uint64, 1)
	err := d.reads.do("get", func() error {
		val, err := d.next.GetUint64(key)
		got <- val
		return err
	})
	if err != nil {
		return 0, err
	}
	return <-got, nil
}
