package suite

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

const (
	nodes      = 3
	startLimit = 60 * time.Second
	poll       = 50 * time.Millisecond
)

// ferry is three server processes.
type ferry struct {
	processes []*process
	url       string
	http      []string
}

func startFerry(ctx context.Context, o Options) (*ferry, error) {
	addrs, err := freeAddrs(3 * nodes)
	if err != nil {
		return nil, err
	}
	listen, gossip, health := addrs[:nodes], addrs[nodes:2*nodes], addrs[2*nodes:]
	f := &ferry{url: "ferry://" + strings.Join(listen, ","), http: health}
	for i := range nodes {
		name := fmt.Sprintf("n%d", i+1)
		p, err := start(o.Dir, name, "server", "--node", name, "--data", filepath.Join(o.Dir, name),
			"--listen", listen[i], "--gossip", gossip[i], "--http", health[i],
			"--join", strings.Join(gossip, ","), "--bootstrap-expect", fmt.Sprint(nodes), "--log-store", o.LogStore)
		if err != nil {
			return nil, errors.Join(err, f.stop())
		}
		f.processes = append(f.processes, p)
	}
	if err := f.ready(ctx); err != nil {
		return nil, errors.Join(err, f.stop())
	}
	return f, nil
}

// ready waits until every node is.
func (f *ferry) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	for _, addr := range f.http {
		err := until(ctx, func() error { return get(ctx, "http://"+addr+"/readyz") })
		if err != nil {
			return fmt.Errorf("the node at %s is not ready: %w", addr, err)
		}
	}
	return nil
}

func get(ctx context.Context, url string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	if err := response.Body.Close(); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return errors.New(response.Status)
	}
	return nil
}

// until calls f until it succeeds or ctx ends; the error is f's last.
func until(ctx context.Context, f func() error) error {
	t := time.NewTicker(poll)
	defer t.Stop()
	for {
		err := f()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-t.C:
		}
	}
}

// cpu is what all three have used so far.
func (f *ferry) cpu() (float64, error) {
	sum := 0.0
	for _, p := range f.processes {
		seconds, err := cpuSeconds(p.cmd.Process.Pid)
		if err != nil {
			return 0, err
		}
		sum += seconds
	}
	return sum, nil
}

// stop asks all at once: the last one alone would wait in vain for somebody to
// take its leadership.
func (f *ferry) stop() error {
	errs := make([]error, len(f.processes))
	var wg sync.WaitGroup
	for i, p := range f.processes {
		wg.Go(func() { errs[i] = p.stop() })
	}
	wg.Wait()
	return errors.Join(errs...)
}
