package cluster

import (
	"sync"
	"time"

	"github.com/ferrymq/ferrymq/fsm"
)

// clocks are the two clocks of a leader, behind a lock.
type clocks struct {
	mu    sync.Mutex
	lease leaseClock
	wall  *wallClock
}

func newClocks(skew func() time.Duration) *clocks {
	c := &clocks{wall: newWallClock()}
	c.wall.skew = skew
	return c
}

// start begins a leadership at the state's clock.
func (c *clocks) start(at fsm.Clock, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lease.start(at.LeaseMillis, now)
	c.wall.start(at.WallMillis)
}

// stamp is what an entry proposed now carries.
func (c *clocks) stamp(now time.Time) fsm.Clock {
	c.mu.Lock()
	defer c.mu.Unlock()
	j := c.wall.stamp(now, c.lease.elapsedAt(now))
	return fsm.Clock{WallMillis: max(j.Millis, 0), LeaseMillis: c.lease.millis(now)}
}

// peek is stamp without an entry.
func (c *clocks) peek(now time.Time) fsm.Clock {
	c.mu.Lock()
	defer c.mu.Unlock()
	j := c.wall.judge(now, c.lease.elapsedAt(now))
	return fsm.Clock{WallMillis: max(j.Millis, 0), LeaseMillis: c.lease.millis(now)}
}

// step is called every leaseStep while this node leads.
func (c *clocks) step(now time.Time) wallJudgement {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lease.step(now)
	return c.wall.judge(now, c.lease.elapsedAt(now))
}

func (c *clocks) observe(node string, wallMillis int64, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wall.observe(node, wallMillis, now)
}

// successors returns the nodes of names whose clocks are near the median, if
// leadership may be handed over now.
func (c *clocks) successors(names []string, median int64, now time.Time) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []string
	for _, n := range names {
		if c.wall.near(n, median, now) {
			out = append(out, n)
		}
	}
	if len(out) == 0 || !c.wall.mayHandOver(now) {
		return nil
	}
	return out
}

// clockLoop steps the clocks while this node leads, and acts on a bad one.
func (g *Group) clockLoop() {
	tick := time.NewTicker(leaseStep)
	defer tick.Stop()
	alarm := false
	for {
		select {
		case <-g.ctx.Done():
			return
		case <-tick.C:
		}
		if g.leading() == nil {
			alarm = false
			continue
		}
		now := time.Now()
		j := g.clock.step(now)
		skew := time.Duration(j.SkewMillis) * time.Millisecond
		if j.Alarm != alarm {
			alarm = j.Alarm
			g.clockAlarm(j, skew)
		}
		g.opts.Metrics.skew(g.opts.ID, skew)
		if j.HandOver {
			g.handOverClock(j, now)
		}
	}
}

func (g *Group) clockAlarm(j wallJudgement, skew time.Duration) {
	if j.Alarm {
		g.log.Error("this leader's wall clock differs from the others", "skew", skew, "stamps_own", j.Good)
	} else {
		g.log.Info("this leader's wall clock agrees with the others again")
	}
	g.opts.OnClockAlarm(j.Alarm, skew)
}

// handOverClock gives leadership to a member with a good clock; raft brings it
// up to date first, and refuses one that does not get there.
func (g *Group) handOverClock(j wallJudgement, now time.Time) {
	voters := g.otherVoters()
	names := make([]string, 0, len(voters))
	for _, s := range voters {
		names = append(names, nodeOf(s.ID))
	}
	near := g.clock.successors(names, j.MedianMillis, now)
	if len(near) == 0 {
		return
	}
	g.log.Warn("handing leadership over because of the wall clock", "to_one_of", near)
	g.loops.Go(func() {
		if err := g.handOver(g.ctx, near); err != nil {
			g.log.Warn("leadership could not be handed over", "error", err)
		}
	})
}
