//go:build linux

package jepsen

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ferrymq/ferrymq/jepsen/ferryfs"
	"github.com/ferrymq/ferrymq/jepsen/history"
)

var diskNemeses = []nemesis{
	{name: "power-loss-one", does: powerLossOne},
	{name: "power-loss-all", telling: true, does: powerLossAll},
	{name: "power-loss-pause", does: powerLossPause},
	{name: "fsync-eio", does: fsyncEIO},
	{name: "disk-full", does: diskFull},
	{name: "slow-fsync", frozen: true, does: slowFsync},
	{name: "hanging-fsync", does: hangingFsync},
	{name: "bit-rot", does: bitRot},
}

// powerLossOne takes the power from one node at a time, the leader first,
// while its disk holds something that is not synced.
func powerLossOne(ctx context.Context, a *arena) error {
	return a.each(ctx, 2, func(i int) error {
		m := a.leaderOr(i%2 == 0)
		return a.powerLoss("power loss", m)
	})
}

// powerLossAll takes the power from all nodes at one moment.
func powerLossAll(ctx context.Context, a *arena) error {
	return a.each(ctx, 2, func(int) error { return a.powerLoss("power loss of all", a.machines...) })
}

// powerLossPause lets one node fall behind while it is paused, takes the power
// from the other two, and lets it go on: what only those two knew must be on
// their disks.
func powerLossPause(ctx context.Context, a *arena) error {
	return a.each(ctx, 1, func(i int) error {
		slow := a.leaderOr(i%2 == 1)
		f := a.begin("pause", []*machine{slow})
		if err := slow.Process().Pause(); err != nil {
			return err
		}
		began := time.Now()
		a.wait(ctx, a.between(1500*time.Millisecond, 2500*time.Millisecond))
		err := a.powerLoss("power loss of the others", a.others(slow)...)
		f.end(history.Bite{What: "milliseconds paused", Count: time.Since(began).Milliseconds()})
		if err := slow.Process().Resume(); err != nil {
			return err
		}
		return err
	})
}

// fsyncEIO has a node's fsyncs fail. Its process has to end: what a failed
// fsync leaves on a disk, nobody knows.
func fsyncEIO(ctx context.Context, a *arena) error {
	return a.each(ctx, 2, func(i int) error {
		m := a.leaderOr(i%2 == 0)
		f := a.begin("fsync EIO", []*machine{m})
		armed := m.arm(ferryfs.FailSync, ferryfs.Arming{})
		err := a.exited(m, exitsIn)
		f.end(armed.lift())
		if err != nil {
			return err
		}
		return a.up(m)
	})
}

// exitsIn is how soon a node has to end that cannot go on.
const exitsIn = 10 * time.Second

// exited waits until a node's process has ended by itself.
func (a *arena) exited(m *machine, within time.Duration) error {
	select {
	case <-m.Process().Done():
		return nil
	case <-time.After(within):
		return fmt.Errorf("%s goes on after %v, although it cannot", m.Name, within)
	case <-a.ctx.Done():
		return a.ctx.Err()
	}
}

// diskFull leaves a node no room to grow. It may end; the others go on.
func diskFull(ctx context.Context, a *arena) error {
	return a.each(ctx, 2, func(i int) error {
		m := a.leaderOr(i%2 == 0)
		f := a.begin("disk full", []*machine{m})
		armed := m.arm(ferryfs.NoSpace, ferryfs.Arming{Bytes: a.rand.Int64N(64 << 10)})
		// Files are grown ahead of their need, so it takes a while to notice.
		a.wait(a.ctx, a.between(2*time.Second, 3*time.Second))
		f.end(armed.lift())
		return a.up(m)
	})
}

// slowFsync makes the fsyncs of one follower slow for all of the time, long
// before the deadline: the majority must not wait for it.
func slowFsync(ctx context.Context, a *arena) error {
	m := a.leaderOr(false)
	f := a.begin("slow fsync", []*machine{m})
	armed := m.arm(ferryfs.SlowSync, ferryfs.Arming{Delay: a.between(200*time.Millisecond, 500*time.Millisecond)})
	a.wait(ctx, a.o.Time)
	f.end(armed.lift())
	return nil
}

// hangingFsync has a node's fsyncs never return, the leader's first. It has to
// give up its leadership and end, or the cluster would wait for its
// heartbeats' sake.
func hangingFsync(ctx context.Context, a *arena) error {
	return a.each(ctx, 1, func(i int) error {
		m := a.leaderOr(i%2 == 0)
		f := a.begin("hanging fsync", []*machine{m}, a.newLeader(m))
		armed := m.arm(ferryfs.HangSync, ferryfs.Arming{})
		a.wait(a.ctx, storeDeadline*3/2)
		// The others have to go on before the disk does.
		err := bounded(a.ctx, storeDeadline+exitsIn, func(ctx context.Context) error {
			return a.until(ctx, "another leader", func() bool { return a.leads() != m.Name })
		})
		f.end(armed.lift())
		if err != nil {
			return err
		}
		// A process with a call in the disk ends only when that returns.
		if err := a.exited(m, exitsIn); err != nil {
			return err
		}
		return a.up(m)
	})
}

// bitRot changes bits of any file of one node, time and again, while that is
// down. It has to notice, must serve no wrong bytes, and comes back by itself.
func bitRot(ctx context.Context, a *arena) error {
	m := a.leaderOr(a.rand.IntN(2) == 0)
	return a.each(ctx, 2, func(int) error {
		f := a.begin("bit rot", []*machine{m})
		if err := a.kill(m); err != nil {
			return err
		}
		rotten, err := m.disk.Rot(ferryfs.Rot{Bits: 1 + a.rand.IntN(8), Seed: a.rand.Uint64()})
		if err != nil {
			return err
		}
		a.tell("rot: %v", rotten)
		if err = a.up(m); err == nil {
			err = bounded(a.ctx, healsIn, a.whole)
		}
		f.end(history.Bite{What: "bits flipped", Count: int64(len(rotten))})
		return err
	})
}

// dirtyWithin is how long a disk may be without anything unsynced before the
// power is taken all the same.
const dirtyWithin = 2 * time.Second

// powerLoss takes the power from machines at one moment: their disks stop,
// their processes end, and what was not synced is gone. It waits for a moment
// at which something is not.
func (a *arena) powerLoss(name string, ms ...*machine) error {
	f := a.begin(name, ms)
	unsynced := func() bool {
		for _, m := range ms {
			if c := m.disk.Counters(); c.UnsyncedBytes == 0 && c.UnsyncedNames == 0 {
				return false
			}
		}
		return true
	}
	until := time.Now().Add(dirtyWithin)
	for !unsynced() && time.Now().Before(until) && a.ctx.Err() == nil {
		time.Sleep(50 * time.Microsecond)
	}
	for _, m := range ms {
		m.disk.Freeze()
	}
	err := a.kill(ms...)
	var lost int64
	for _, m := range ms {
		n, e := m.disk.PowerLoss(ferryfs.Loss{Torn: a.rand.IntN(2) == 0, Seed: a.rand.Uint64()})
		lost, err = lost+n.Total(), errors.Join(err, e)
		m.disk.PowerOn()
	}
	if err == nil {
		err = a.up(ms...)
	}
	f.end(history.Bite{What: "unsynced changes lost", Count: lost})
	return err
}

// arming is a fault at work on a machine's disk.
type arming struct {
	m      *machine
	fault  ferryfs.Fault
	before int64
	err    error
}

func (m *machine) arm(fault ferryfs.Fault, how ferryfs.Arming) arming {
	before := m.disk.Counters().Bites[fault]
	return arming{m, fault, before, m.disk.Arm(fault, how)}
}

// lift ends the fault and tells how often it bit.
func (a arming) lift() history.Bite {
	a.m.disk.Disarm(a.fault)
	if a.err != nil {
		return history.Bite{What: a.err.Error()}
	}
	return history.Bite{What: a.fault.String(), Count: a.m.disk.Counters().Bites[a.fault] - a.before}
}
