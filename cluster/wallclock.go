package cluster

import (
	"slices"
	"time"
)

const (
	wallSampleMaxAge = 10 * time.Second // an older sample of a peer's clock does not count
	wallMaxSkew      = 2 * time.Second  // what two good clocks may differ by
	wallHandOverGap  = time.Minute      // leadership moves because of a clock at most this often
	wallSamplesMax   = 1024             // nodes whose clocks are remembered
)

// wallSample is a peer's wall clock as it was when it arrived here.
type wallSample struct {
	wallMillis int64
	at         time.Time // this node's clock, with its monotonic reading
}

// estimate is what the peer's clock shows now, its age on the way neglected.
func (s wallSample) estimate(now time.Time) int64 {
	return s.wallMillis + now.Sub(s.at).Milliseconds()
}

// wallJudgement is what a leader does with its wall clock.
type wallJudgement struct {
	Millis       int64 // stamp entries with this
	Good         bool  // it is this node's own clock
	Alarm        bool  // the clocks differ by more than they may
	HandOver     bool  // somebody else should lead
	MedianMillis int64 // of the samples, with three or more of them
	SkewMillis   int64 // own minus median, or minus the other clock
}

// judgeWall decides what a leader stamps. own is its clock, peers are fresh
// estimates of the others, held is the state's wall clock carried on by the
// leader's elapsed time (0: the state has none yet).
//
// With three clocks or more the median tells who is wrong. With two nobody
// can tell, so the earlier one is taken: a message that expires late is
// better than one that expires early. Alone there is nothing to compare with.
func judgeWall(own int64, peers []int64, held int64) wallJudgement {
	j := wallJudgement{Millis: own, Good: true}
	skewMax := wallMaxSkew.Milliseconds()
	switch len(peers) {
	case 0:
		return j
	case 1:
		j.SkewMillis = own - peers[0]
		if abs(j.SkewMillis) <= skewMax {
			return j
		}
		j.Alarm = true
		if held != 0 {
			j.Good = false
			j.Millis = max(held, min(own, peers[0]))
		}
		return j
	}
	j.MedianMillis = lowerMedian(append(slices.Clone(peers), own))
	j.SkewMillis = own - j.MedianMillis
	if abs(j.SkewMillis) <= skewMax {
		return j
	}
	j.Alarm, j.HandOver = true, true
	if held != 0 {
		j.Good = false
		j.Millis = held
	}
	return j
}

func lowerMedian(v []int64) int64 {
	slices.Sort(v)
	return v[(len(v)-1)/2]
}

func abs(v int64) int64 { return max(v, -v) }

// wallClock remembers the peers' clocks and what this leader stamped last
// while its own was good. Not safe for concurrent use.
type wallClock struct {
	samples map[string]wallSample
	skew    func() time.Duration // added to this node's clock; a simulation's

	// anchor is the state's wall clock when leadership began or, later, the
	// last good stamp; anchorElapsed is the leader's elapsed time then. It is
	// not moved by stamps that are derived from it: their rounding would add up.
	anchor        int64
	anchorElapsed time.Duration

	handedOver time.Time // when leadership was last moved because of this clock
}

func newWallClock() *wallClock {
	return &wallClock{samples: make(map[string]wallSample), skew: noSkew}
}

func noSkew() time.Duration { return 0 }

// observe takes a peer's clock.
func (c *wallClock) observe(node string, wallMillis int64, now time.Time) {
	if _, known := c.samples[node]; !known && len(c.samples) >= wallSamplesMax {
		c.forgetOld(now)
		if len(c.samples) >= wallSamplesMax {
			return
		}
	}
	c.samples[node] = wallSample{wallMillis: wallMillis, at: now}
}

func (c *wallClock) forgetOld(now time.Time) {
	for node, s := range c.samples {
		if now.Sub(s.at) > wallSampleMaxAge {
			delete(c.samples, node)
		}
	}
}

// start begins a leadership with the state's wall clock.
func (c *wallClock) start(stateWallMillis int64) {
	c.anchor, c.anchorElapsed = stateWallMillis, 0
}

// fresh returns estimates of the peers' clocks that still count.
func (c *wallClock) fresh(now time.Time) []int64 {
	var out []int64
	for _, s := range c.samples {
		if now.Sub(s.at) <= wallSampleMaxAge {
			out = append(out, s.estimate(now))
		}
	}
	return out
}

// near tells whether the node's clock counts and is close to the median.
func (c *wallClock) near(node string, median int64, now time.Time) bool {
	s, ok := c.samples[node]
	return ok && now.Sub(s.at) <= wallSampleMaxAge &&
		abs(s.estimate(now)-median) <= wallMaxSkew.Milliseconds()
}

// judge decides without moving the anchor.
func (c *wallClock) judge(now time.Time, elapsed time.Duration) wallJudgement {
	held := int64(0)
	if c.anchor != 0 {
		held = c.anchor + (elapsed - c.anchorElapsed).Milliseconds()
	}
	return judgeWall(now.Add(c.skew()).UnixMilli(), c.fresh(now), held)
}

// stamp decides what an entry proposed now carries.
func (c *wallClock) stamp(now time.Time, elapsed time.Duration) wallJudgement {
	j := c.judge(now, elapsed)
	if j.Good {
		c.anchor, c.anchorElapsed = j.Millis, elapsed
	}
	return j
}

// mayHandOver allows one hand-over a minute.
func (c *wallClock) mayHandOver(now time.Time) bool {
	if !c.handedOver.IsZero() && now.Sub(c.handedOver) < wallHandOverGap {
		return false
	}
	c.handedOver = now
	return true
}
