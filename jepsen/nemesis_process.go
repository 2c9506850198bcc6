//go:build linux

package jepsen

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/ferrymq/ferrymq/jepsen/history"
	"github.com/ferrymq/ferrymq/jepsen/nodes"
)

var processNemeses = []nemesis{
	{name: "kill-one", telling: true, does: killOne},
	{name: "kill-all", telling: true, does: killAll},
	{name: "pause", frozen: true, does: pauseOne},
	{name: "pause-leader", telling: true, does: pauseLeader},
	{name: "rolling-restart", telling: true, does: rollingRestart},
}

// upWithin bounds the start of nodes after a fault.
const upWithin = 20 * time.Second

// killOne kills the leader, another node, the leader, …, each while
// operations are under way.
func killOne(ctx context.Context, a *arena) error {
	return a.each(ctx, 2, func(i int) error {
		m := a.leaderOr(i%2 == 0)
		f := a.begin("kill", []*machine{m})
		if err := a.kill(m); err != nil {
			return err
		}
		a.wait(ctx, a.between(100*time.Millisecond, 1500*time.Millisecond))
		err := a.up(m)
		f.end(history.Bite{What: "processes killed", Count: 1})
		return err
	})
}

func killAll(ctx context.Context, a *arena) error {
	return a.each(ctx, 2, func(int) error {
		f := a.begin("kill all", a.machines)
		if err := a.kill(a.machines...); err != nil {
			return err
		}
		err := a.up(a.machines...)
		f.end(history.Bite{What: "processes killed", Count: int64(len(a.machines))})
		return err
	})
}

// pauseOne stops one node that does not lead for all of the time: the others
// have to go on as if it were not there.
func pauseOne(ctx context.Context, a *arena) error {
	m := a.leaderOr(false)
	f := a.begin("pause", []*machine{m})
	n, err := a.pause(ctx, m, a.o.Time)
	f.end(n)
	return err
}

// pauseLeader stops the leader for longer than an election takes, and lets it
// go on in the belief that it leads.
func pauseLeader(ctx context.Context, a *arena) error {
	return a.each(ctx, 2, func(int) error {
		m := a.leaderOr(true)
		f := a.begin("pause leader", []*machine{m}, a.newLeader(m))
		n, err := a.pause(ctx, m, a.between(1500*time.Millisecond, 2500*time.Millisecond))
		f.end(n)
		return err
	})
}

// pause stops a node's process and lets it go on.
func (a *arena) pause(ctx context.Context, m *machine, d time.Duration) (history.Bite, error) {
	began := time.Now()
	if err := m.Process().Pause(); err != nil {
		return history.Bite{}, err
	}
	a.wait(ctx, d)
	bite := history.Bite{What: "milliseconds paused", Count: time.Since(began).Milliseconds()}
	return bite, m.Process().Resume()
}

// rollingRestart stops and starts every node in turn, as an upgrade does.
func rollingRestart(ctx context.Context, a *arena) error {
	return a.each(ctx, len(a.machines), func(i int) error {
		m := a.machines[i%len(a.machines)]
		f := a.begin("restart", []*machine{m})
		err := bounded(a.ctx, stopsIn, m.Stop)
		if err == nil {
			err = a.up(m)
		}
		if err == nil {
			err = bounded(a.ctx, upWithin, a.whole)
		}
		f.end(history.Bite{What: "clean stops", Count: 1})
		return err
	})
}

// kill ends processes from one moment to the next.
func (a *arena) kill(ms ...*machine) error {
	errs := make([]error, len(ms))
	var all sync.WaitGroup
	for i, m := range ms {
		all.Go(func() { errs[i] = m.Kill() })
	}
	all.Wait()
	return errors.Join(errs...)
}

// up starts nodes and waits until each is ready. One that is about to end, of
// what was done to it, is started again. What was begun is carried through,
// also when the time of the faults is over.
func (a *arena) up(ms ...*machine) error {
	return bounded(a.ctx, upWithin, func(ctx context.Context) error {
		// First all of them: without a majority none gets ready.
		for _, m := range ms {
			if m.Running() {
				continue
			}
			if err := m.Start(); err != nil {
				return err
			}
		}
		for _, m := range ms {
			if err := a.upOne(ctx, m); err != nil {
				return err
			}
		}
		return nil
	})
}

// startsMax is how often a node may end while it is brought up.
const startsMax = 3

func (a *arena) upOne(ctx context.Context, m *machine) error {
	var err error
	for range startsMax {
		if !m.Running() {
			if err := m.Start(); err != nil {
				return err
			}
		}
		if err = m.Ready(ctx); !errors.Is(err, nodes.ErrExited) {
			return err
		}
		a.tell("%s ended by itself", m.Name)
	}
	return err
}
