package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/ferrymq/ferrymq/jepsen/nodes"
)

// crew are the services as processes.
type crew struct {
	binary  string // this program
	dir     string // of their logs
	url     string
	outside string

	mu    sync.Mutex
	procs map[string]nodes.Process
	kills map[string]int // by kind
}

// kindOf a service's name, which is its kind and a number: "payment-2".
func kindOf(name string) string {
	kind, _, _ := strings.Cut(name, "-")
	return kind
}

// start starts a service.
func (c *crew) start(name string) error {
	p, err := nodes.StartProcess(name, c.binary,
		[]string{"service", kindOf(name), "--url", c.url, "--outside", c.outside}, filepath.Join(c.dir, name+".log"))
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.procs[name] = p
	return nil
}

func (c *crew) startAll(names []string) error {
	for _, name := range names {
		if err := c.start(name); err != nil {
			return err
		}
	}
	return nil
}

// kill sends SIGKILL and returns the number of the process that it was.
func (c *crew) kill(name string) (pid int, err error) {
	c.mu.Lock()
	p := c.procs[name]
	if p != nil {
		delete(c.procs, name)
		c.kills[kindOf(name)]++
	}
	c.mu.Unlock()
	if p == nil {
		return 0, fmt.Errorf("no %s runs", name)
	}
	return p.Pid(), p.Kill()
}

// killed is how many processes of each service were.
func (c *crew) killed() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.kills)
}

// failure tells of services that ended by themselves.
func (c *crew) failure() (err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for name, p := range c.procs {
		select {
		case <-p.Done():
			err = errors.Join(err, fmt.Errorf("%s ended by itself: %v", name, p.Err()))
		default:
		}
	}
	return err
}

// stop tells all services to end, and waits until they have.
func (c *crew) stop(ctx context.Context) error {
	c.mu.Lock()
	procs := c.procs
	c.procs = map[string]nodes.Process{}
	c.mu.Unlock()
	var all sync.WaitGroup
	errs := make([]error, len(procs))
	i := 0
	for name, p := range procs {
		place := &errs[i]
		i++
		all.Go(func() {
			if err := p.Stop(ctx); err != nil {
				*place = fmt.Errorf("stop %s: %w", name, err)
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// kinds of services, and how many of each there are in a full show.
func everybody(copies int) (names []string) {
	for kind := range services {
		n := 1
		if slices.Contains([]string{"payment", "inventory", "shipping"}, kind) {
			n = copies
		}
		for i := range n {
			names = append(names, fmt.Sprintf("%s-%d", kind, i+1))
		}
	}
	slices.Sort(names)
	return names
}
