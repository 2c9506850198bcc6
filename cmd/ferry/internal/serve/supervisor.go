package serve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	dto "github.com/prometheus/client_model/go"

	"github.com/ferrymq/ferrymq/cluster"
	"github.com/ferrymq/ferrymq/cluster/store"
	"github.com/ferrymq/ferrymq/cmd/ferry/internal/config"
)

// rebuildsMax is how often one process moves its state aside and begins anew.
// A replica that still cannot follow then has a reason a person should see.
const rebuildsMax = 3

var (
	errNotStarted = errors.New("the node is starting")
	errStopping   = errors.New("the node is stopping")
)

// Supervisor holds what outlives a rebuild of the node: the lock on its data
// folder and the HTTP server.
type Supervisor struct {
	conf    *config.Config
	log     *slog.Logger
	plain   *slog.Logger // without the node's name, for those who add it
	version string
	lock    *store.DirLock
	http    *httpServer
	base    *prometheus.Registry

	mu       sync.Mutex
	node     *node // nil while there is none
	stopping bool

	stopOnce sync.Once
	stop     chan struct{}
	done     chan struct{}
	err      error // once done
}

// Run runs a node until ctx ends or the node cannot go on.
func Run(ctx context.Context, c *config.Config, log *slog.Logger, version string) error {
	limitMemory(c) // before the state is read, which may be as large as may be
	s, err := Supervise(c, log, version)
	if err != nil {
		return err
	}
	undo := context.AfterFunc(ctx, s.Stop)
	defer undo()
	return s.Wait()
}

// Supervise starts a node. Its error tells what kept it from starting.
func Supervise(c *config.Config, log *slog.Logger, version string) (*Supervisor, error) {
	if _, err := readKeys(c.ClusterKeyFile); err != nil { // each node reads it anew
		return nil, err
	}
	lock, err := store.Lock(c.Data)
	if errors.Is(err, store.ErrLocked) {
		return nil, fmt.Errorf("%w: %s", ErrLocked, c.Data)
	} else if err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	s := &Supervisor{
		conf: c, log: log.With("node", c.Node), plain: log, version: version, lock: lock, base: prometheus.NewRegistry(),
		stop: make(chan struct{}), done: make(chan struct{}),
	}
	s.base.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	if s.http, err = startHTTP(c.HTTP, prometheus.Gatherers{s.base, s}, s.Ready, c.Pprof, s.log); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	first, err := s.open()
	if err != nil {
		return nil, errors.Join(err, s.http.stop(), lock.Close())
	}
	s.log.Info("started", "version", version, "pid", os.Getpid(), "data", c.Data,
		"listen", c.Listen, "advertise", c.Advertise, "advertise_client", c.AdvertiseClient,
		"gossip", c.AdvertiseGossip, "http", s.http.addr.String(), "log_store", c.LogStore)
	go s.run(first)
	return s, nil
}

// open starts the node. A replica that has forgotten a promise begins anew at
// once.
func (s *Supervisor) open() (*node, error) {
	n, err := startNode(s.conf, s.plain, s.version)
	if errors.Is(err, cluster.ErrRebuild) {
		s.log.Error("this replica moves its state aside and joins anew", "error", err)
		if err := markRebuild(s.conf, err); err != nil {
			return nil, err
		}
		n, err = startNode(s.conf, s.plain, s.version)
	}
	if errors.Is(err, cluster.ErrRemoved) {
		err = fmt.Errorf("%w: %w", ErrRemoved, err)
	}
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.node = n
	s.mu.Unlock()
	return n, nil
}

// run waits for the end of each node, and rebuilds where that is the answer.
func (s *Supervisor) run(n *node) {
	err := s.supervise(n)
	s.err = errors.Join(err, s.http.stop(), s.lock.Close())
	if s.err == nil {
		s.log.Info("stopped")
	} else {
		s.log.Error("stopped", "error", s.err)
	}
	close(s.done)
}

func (s *Supervisor) supervise(n *node) error {
	for rebuilds := 0; ; rebuilds++ {
		select {
		case <-s.stop:
			s.forget(true)
			s.log.Info("stopping: handing over and draining")
			return n.shutDown()
		case reason := <-n.failed:
			s.forget(false)
			if !errors.Is(reason, errRebuild) || rebuilds == rebuildsMax {
				s.log.Error("the node cannot go on", "error", reason)
				return errors.Join(reason, n.abandon())
			}
			if err := errors.Join(n.abandon(), markRebuild(s.conf, reason)); err != nil {
				return fmt.Errorf("rebuild: %w", err)
			}
		}
		var err error
		if n, err = s.open(); err != nil {
			return fmt.Errorf("start after the rebuild: %w", err)
		}
	}
}

func (s *Supervisor) forget(stopping bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.node, s.stopping = nil, stopping
}

// Ready is nil once the group has a known leader and this node has caught up.
func (s *Supervisor) Ready() error {
	s.mu.Lock()
	n, stopping := s.node, s.stopping
	s.mu.Unlock()
	switch {
	case stopping:
		return errStopping
	case n == nil:
		return errNotStarted
	}
	return n.ready()
}

// Gather implements prometheus.Gatherer with the present node's metrics.
func (s *Supervisor) Gather() ([]*dto.MetricFamily, error) {
	s.mu.Lock()
	n := s.node
	s.mu.Unlock()
	if n == nil {
		return nil, nil
	}
	return n.registry.Gather()
}

// Stop asks the node to hand over, drain and end.
func (s *Supervisor) Stop() { s.stopOnce.Do(func() { close(s.stop) }) }

// Wait returns why the node ended, nil if it was asked to.
func (s *Supervisor) Wait() error {
	<-s.done
	return s.err
}
