//go:build linux

package jepsen

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// warm lets the traffic run until there is something to hurt.
func (a *arena) warm() error {
	a.wait(a.ctx, warmUp)
	return bounded(a.ctx, startsIn, func(ctx context.Context) error {
		err := a.until(ctx, "traffic", func() bool { return a.rec.Counts().Confirmed >= warmMin })
		if err == nil {
			a.leads()
		}
		return err
	})
}

// hurt has the nemesis at work for the time of the run.
func (a *arena) hurt(n nemesis) error {
	ctx, cancel := context.WithTimeout(a.ctx, a.o.Time)
	defer cancel()
	return n.does(ctx, a)
}

// heal lifts everything and waits until the cluster is whole. What a nemesis
// left behind after an error is mended here as well.
func (a *arena) heal(ctx context.Context) error {
	a.net.Heal()
	var errs []error
	for _, m := range a.machines {
		m.disk.Calm()
		m.disk.PowerOn()
		if m.Running() {
			errs = append(errs, m.Process().Resume(), m.skew(0))
		}
	}
	if err := errors.Join(append(errs, a.up(a.machines...))...); err != nil {
		return fmt.Errorf("heal: %w", err)
	}
	if err := a.whole(ctx); err != nil {
		return fmt.Errorf("heal: %w", err)
	}
	return nil
}

// skew sets a node's wall clock off.
func (m *machine) skew(offset time.Duration) error { return m.host.Clock.Set(offset) }

// skewTolerance is how exactly a node tells the time in its HTTP answers.
const skewTolerance = 2 * time.Second

// skewSeen tells whether the node's own idea of the time is off by that much.
func (a *arena) skewSeen(m *machine, offset time.Duration) bool {
	ctx, cancel := context.WithTimeout(a.ctx, time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+m.HTTP()+"/livez", nil)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	_, err = io.Copy(io.Discard, io.LimitReader(response.Body, 4096))
	told, bad := http.ParseTime(response.Header.Get("Date"))
	if err := errors.Join(err, bad, response.Body.Close()); err != nil {
		return false
	}
	return (time.Until(told) - offset).Abs() < skewTolerance
}

// stopNodes stops every node cleanly, so that its log can be read.
func (a *arena) stopNodes(ctx context.Context) error {
	if err := a.admin.Close(); ignoreClosed(err) != nil {
		return err
	}
	errs := make(chan error, len(a.machines))
	for _, m := range a.machines {
		go func() { errs <- m.Stop(ctx) }()
	}
	var all error
	for range a.machines {
		all = errors.Join(all, <-errs)
	}
	return all
}
