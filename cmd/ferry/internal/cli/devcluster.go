package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/ferrymq/ferrymq/cmd/ferry/internal/config"
	"github.com/ferrymq/ferrymq/cmd/ferry/internal/serve"
)

// devCluster is the nodes of `ferry dev`.
type devCluster struct {
	nodes []devNode
	ended chan struct{} // gets a value when a node ends by itself
	wg    sync.WaitGroup
}

type devNode struct {
	*serve.Supervisor
	name string
}

func (d *devCluster) start(c *config.Config, log *slog.Logger) error {
	n, err := serve.Supervise(c, log, Version)
	if err != nil {
		return fmt.Errorf("start %s: %w", c.Node, err)
	}
	d.nodes = append(d.nodes, devNode{n, c.Node})
	d.wg.Go(func() {
		if n.Wait() != nil {
			d.ended <- struct{}{}
		}
	})
	return nil
}

// ready waits until every node is; false: one ended instead.
func (d *devCluster) ready(ctx context.Context) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, devReadyLimit)
	defer cancel()
	tick := time.NewTicker(devReadyPoll)
	defer tick.Stop()
	for _, n := range d.nodes {
		for {
			err := n.Ready()
			if err == nil {
				break
			}
			select {
			case <-tick.C:
			case <-d.ended:
				return false, nil // stop tells why
			case <-ctx.Done():
				if errors.Is(ctx.Err(), context.Canceled) {
					return false, ctx.Err()
				}
				return false, fmt.Errorf("the nodes are not ready after %s: %w", devReadyLimit, err)
			}
		}
	}
	return true, nil
}

// stop stops all at once: the last ones have nobody to hand leadership to.
func (d *devCluster) stop() error {
	for _, n := range d.nodes {
		n.Stop()
	}
	d.wg.Wait()
	var errs []error
	for _, n := range d.nodes {
		if err := n.Wait(); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", n.name, err))
		}
	}
	return errors.Join(errs...)
}

// muteable is one writer for the logs of several nodes, which can be turned off.
type muteable struct {
	mu  sync.Mutex
	to  io.Writer
	off bool
}

func (m *muteable) mute() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.off = true
}

// Write writes a whole line. The lock covers it, so that lines stay whole.
func (m *muteable) Write(p []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.off {
		return len(p), nil
	}
	return m.to.Write(p)
}
