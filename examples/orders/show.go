package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/jepsen/nodes"
)

// options of a show.
type options struct {
	ferry   string // the program of a node
	self    string // this program, for the services
	seed    uint64
	count   int           // of orders
	length  time.Duration // in which they are placed
	out     io.Writer
	colours bool // out is a terminal

	copies      int // of the busiest services
	paymentRate int // calls a second
	story       []scene
	away        time.Duration // how long a killed node is away
	outage      time.Duration // how long e-mail fails once the breaker is open
	impatient   bool          // close the breaker by hand
	patience    time.Duration // bounds the show
}

// show is one run: a cluster, services, customers, and what happens to them.
type show struct {
	o         options
	world     *world
	cluster   *nodes.Cluster
	admin     *client.Conn
	crew      *crew
	customers *customers
	screen    *screen
	beside    sync.WaitGroup // what goes on beside the story

	mu  sync.Mutex
	err error
}

const (
	// pollTime is how often something that is waited for is looked at.
	pollTime = 50 * time.Millisecond
	// drawTime is how often the screen is drawn.
	drawTime = 200 * time.Millisecond
)

// run runs the show and judges it. Whatever happens, what it started is ended and
// what it wrote is removed before it returns; after a failure the logs are kept.
func run(ctx context.Context, o options) (v verdict, err error) {
	ctx, cancel := context.WithTimeout(ctx, o.patience)
	defer cancel()
	dir, err := os.MkdirTemp("", "ferry-orders-")
	if err != nil {
		return v, err
	}
	defer func() {
		if err == nil && len(v.faults) == 0 {
			err = os.RemoveAll(dir)
			return
		}
		fmt.Fprintln(o.out, "logs of nodes and services are in", dir)
	}()
	s := &show{o: o, screen: newScreen(o.out, o.colours)}
	defer func() { err = errors.Join(err, s.close()) }()
	if err := s.open(ctx, dir); err != nil {
		return v, err
	}
	if err := s.play(ctx); err != nil {
		return v, err
	}
	b, err := s.gather(ctx)
	if err != nil {
		return v, err
	}
	v = b.judge()
	v.print(o.out)
	return v, nil
}

// open starts everything.
func (s *show) open(ctx context.Context, dir string) (err error) {
	if s.world, err = openWorld(); err != nil {
		return err
	}
	if s.cluster, err = nodes.NewCluster(nodes.Options{Binary: s.o.ferry, Dir: filepath.Join(dir, "nodes")}); err != nil {
		return err
	}
	if err := s.cluster.Start(ctx); err != nil {
		return err
	}
	for _, n := range s.cluster.Nodes() {
		s.screen.setNode(n.Name, true)
		s.screen.say("node %s, process %d, %s", n.Name, n.Pid(), n.Addr)
	}
	if s.admin, err = client.Dial(ctx, s.cluster.URL(0), client.WithName("shop")); err != nil {
		return err
	}
	if err := declare(ctx, s.admin, s.o.paymentRate); err != nil {
		return err
	}
	p := draw(s.o.seed, s.o.count, s.o.length)
	if err := stock(ctx, s.admin, p.opening); err != nil {
		return err
	}
	s.crew = &crew{
		binary: s.o.self, dir: dir, url: s.cluster.URL(1), outside: s.world.url,
		procs: map[string]nodes.Process{}, kills: map[string]int{},
	}
	s.customers = &customers{conn: s.admin, plan: p, placed: map[int]planned{}}
	names := everybody(s.o.copies)
	if err := s.crew.startAll(names); err != nil {
		return err
	}
	s.screen.say("%d services: %v", len(names), names)
	return s.working(ctx)
}

// working waits until every queue has its consumers.
func (s *show) working(ctx context.Context) error {
	return s.queues(ctx, "services that consume", func(all map[string]client.QueueInfo) bool {
		for _, name := range append([]string{pricing}, stages...) {
			if all[name].Consumers == 0 {
				return false
			}
		}
		return true
	})
}

// play lets customers order while the story goes on, until nothing is left to do.
func (s *show) play(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	var watching, acting sync.WaitGroup
	watched, unwatch := context.WithCancel(ctx)
	defer watching.Wait()
	defer unwatch()
	defer s.beside.Wait()
	defer cancel()
	s.customers.began = time.Now()
	s.screen.begin()
	watching.Go(func() { s.watch(watched) })
	for _, act := range []func(context.Context) error{s.customers.run, s.tell} {
		acting.Go(func() {
			if err := act(ctx); err != nil {
				s.fail(err)
				cancel()
			}
		})
	}
	acting.Wait()
	s.beside.Wait()
	if err := s.failure(); err != nil {
		return err
	}
	s.screen.say("all %d orders are placed; what is on its way comes to its end", len(s.customers.confirmed()))
	if err := s.queues(ctx, "empty queues", idle); err != nil {
		return err
	}
	unwatch()
	watching.Wait()
	s.screen.say("nothing is left to do; services are told to end")
	if v, err := s.view(ctx); err == nil {
		s.screen.end(v)
	}
	bound, done := context.WithTimeout(ctx, 2*stopTime)
	defer done()
	return s.crew.stop(bound)
}

// idle tells that no stage has a message, in whatever state.
func idle(all map[string]client.QueueInfo) bool {
	for _, name := range stages {
		q := all[name]
		if q.Name == "" || q.Ready+q.Leased+q.Scheduled+q.Retrying+q.Parked > 0 {
			return false
		}
	}
	return true
}

// queues waits for something to be true of the queues, and not longer than all
// services live.
func (s *show) queues(ctx context.Context, what string, met func(map[string]client.QueueInfo) bool) error {
	for {
		all, err := look(ctx, s.admin)
		if err == nil && met(all) {
			return nil
		}
		if err := s.crew.failure(); err != nil {
			return err
		}
		if sleep(ctx, pollTime) != nil {
			return fmt.Errorf("waiting for %s: %w: %s", what, errors.Join(ctx.Err(), err), summary(all))
		}
	}
}

// look reads all queues at one moment.
func look(ctx context.Context, conn *client.Conn, opts ...client.ReadOption) (map[string]client.QueueInfo, error) {
	all := map[string]client.QueueInfo{}
	for q, err := range conn.Queues(ctx, "", opts...) {
		if err != nil {
			return nil, err
		}
		all[q.Name] = q
	}
	return all, nil
}

func (s *show) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = errors.Join(s.err, err)
}

func (s *show) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// close ends what runs.
func (s *show) close() (err error) {
	if s.crew != nil {
		bound, cancel := context.WithTimeout(context.Background(), stopTime)
		err = s.crew.stop(bound)
		cancel()
	}
	if s.admin != nil {
		err = errors.Join(err, s.admin.Close())
	}
	if s.cluster != nil {
		err = errors.Join(err, s.cluster.Close())
	}
	if s.world != nil {
		err = errors.Join(err, s.world.close())
	}
	return err
}
