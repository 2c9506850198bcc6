package cluster

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ferrymq/ferrymq/fsm"
)

func TestJudgeWall(t *testing.T) {
	const now = int64(1_700_000_000_000)
	tests := []struct {
		name  string
		own   int64
		peers []int64
		held  int64
		want  wallJudgement
	}{
		{"alone", now, nil, now - 9999, wallJudgement{Millis: now, Good: true}},
		{"alone and far from the state", now, nil, now + 3_600_000, wallJudgement{Millis: now, Good: true}},
		{"two that agree", now, []int64{now + 2000}, now, wallJudgement{Millis: now, Good: true, SkewMillis: -2000}},
		{"two that differ: the earlier is the other", now + 9000, []int64{now}, now - 500,
			wallJudgement{Millis: now, Alarm: true, SkewMillis: 9000}},
		{"two that differ: the earlier is this one", now, []int64{now + 9000}, now - 500,
			wallJudgement{Millis: now, Alarm: true, SkewMillis: -9000}},
		{"two that differ: the state is later than the earlier", now + 9000, []int64{now}, now + 300,
			wallJudgement{Millis: now + 300, Alarm: true, SkewMillis: 9000}},
		{"two that differ, no state yet", now + 9000, []int64{now}, 0,
			wallJudgement{Millis: now + 9000, Good: true, Alarm: true, SkewMillis: 9000}},
		{"three that agree", now, []int64{now - 1999, now + 1999}, now,
			wallJudgement{Millis: now, Good: true, MedianMillis: now}},
		{"exactly two seconds are allowed", now + 2000, []int64{now, now}, now,
			wallJudgement{Millis: now + 2000, Good: true, MedianMillis: now, SkewMillis: 2000}},
		{"three, this one is fast", now + 2001, []int64{now, now}, now - 77,
			wallJudgement{Millis: now - 77, Alarm: true, HandOver: true, MedianMillis: now, SkewMillis: 2001}},
		{"three, this one is slow", now - 60_000, []int64{now, now}, now - 77,
			wallJudgement{Millis: now - 77, Alarm: true, HandOver: true, MedianMillis: now, SkewMillis: -60_000}},
		{"three, another one is wrong", now, []int64{now + 1, now + 3_600_000}, now,
			wallJudgement{Millis: now, Good: true, MedianMillis: now + 1, SkewMillis: -1}},
		{"three, no state yet", now + 5000, []int64{now, now}, 0,
			wallJudgement{Millis: now + 5000, Good: true, Alarm: true, HandOver: true, MedianMillis: now, SkewMillis: 5000}},
		{"four: the lower middle", now, []int64{now + 10_000, now + 20_000, now - 1}, now,
			wallJudgement{Millis: now, Good: true, MedianMillis: now}},
		{"four: above the lower middle", now + 10_000, []int64{now, now, now + 20_000}, now - 3,
			wallJudgement{Millis: now - 3, Alarm: true, HandOver: true, MedianMillis: now, SkewMillis: 10_000}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := judgeWall(tt.own, tt.peers, tt.held); got != tt.want {
				t.Fatalf("got  %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

func TestWallClockSamplesAge(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	c := newWallClock()
	c.observe("b", now.UnixMilli()+60_000, now)
	if got := c.fresh(now.Add(wallSampleMaxAge)); len(got) != 1 || got[0] != now.UnixMilli()+70_000 {
		t.Fatalf("a sample of 10 s: %v", got)
	}
	if got := c.fresh(now.Add(wallSampleMaxAge + 1)); len(got) != 0 {
		t.Fatalf("a sample of more than 10 s still counts: %v", got)
	}
}

func TestWallClockHoldsWithoutDrift(t *testing.T) {
	// The state's clock is right, this leader's is an hour fast. It stamps the
	// state's clock carried on, and rounding must not add up over many entries.
	start := time.Unix(1_700_000_000, 0)
	right := start.UnixMilli() - 3_600_000
	c := newWallClock()
	c.start(right)
	elapsed := time.Duration(0)
	for range 10_000 {
		elapsed += 300 * time.Microsecond
		now := start.Add(elapsed)
		c.observe("b", right+elapsed.Milliseconds(), now)
		c.observe("c", right+elapsed.Milliseconds(), now)
		if j := c.stamp(now, elapsed); j.Good || j.Millis != right+elapsed.Milliseconds() {
			t.Fatalf("after %v: %+v, want %d", elapsed, j, right+elapsed.Milliseconds())
		}
	}
}

func TestWallClockAnchorsAtGoodStamps(t *testing.T) {
	start := time.Unix(1_700_000_000, 0)
	c := newWallClock()
	c.start(start.UnixMilli() - 500)
	for _, node := range []string{"b", "c"} {
		c.observe(node, start.UnixMilli(), start)
	}
	if j := c.stamp(start, 0); !j.Good || j.Millis != start.UnixMilli() {
		t.Fatalf("good: %+v", j)
	}
	// Then its clock jumps by an hour; the peers' samples are a second old.
	jumped := start.Add(time.Hour)
	for node, s := range c.samples {
		s.at = jumped.Add(-time.Second)
		c.samples[node] = s
	}
	if j := c.stamp(jumped, time.Second); j.Good || j.Millis != start.UnixMilli()+1000 || !j.HandOver {
		t.Fatalf("after the jump: %+v", j)
	}
}

func TestWallClockHandsOverOnceAMinute(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	c := newWallClock()
	for _, want := range []struct {
		after time.Duration
		may   bool
	}{{0, true}, {time.Second, false}, {59 * time.Second, false}, {time.Minute, true}, {61 * time.Second, false}} {
		if got := c.mayHandOver(now.Add(want.after)); got != want.may {
			t.Fatalf("after %v: %v", want.after, got)
		}
	}
}

func TestWallClockNear(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	c := newWallClock()
	c.observe("good", now.UnixMilli()+1500, now)
	c.observe("bad", now.UnixMilli()+2500, now)
	c.observe("old", now.UnixMilli(), now.Add(-time.Minute))
	for node, want := range map[string]bool{"good": true, "bad": false, "old": false, "unknown": false} {
		if got := c.near(node, now.UnixMilli(), now); got != want {
			t.Errorf("%s: %v", node, got)
		}
	}
}

func TestWallClockIsBounded(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	c := newWallClock()
	name := func(i int) string { return time.Duration(i).String() }
	for i := range 2 * wallSamplesMax {
		c.observe(name(i), 1, now)
	}
	if len(c.samples) != wallSamplesMax {
		t.Fatalf("%d samples", len(c.samples))
	}
	later := now.Add(wallSampleMaxAge + time.Second)
	c.observe("new", 1, later)
	if len(c.samples) != 1 {
		t.Fatalf("old samples keep new ones out: %d", len(c.samples))
	}
}

func TestSkewIsOfTheWallClockAlone(t *testing.T) {
	c := newClocks(func() time.Duration { return time.Hour })
	now := time.Unix(1_000_000, 0)
	c.start(fsm.Clock{WallMillis: now.UnixMilli(), LeaseMillis: 7}, now)
	at := c.stamp(now.Add(100 * time.Millisecond))
	require.Equal(t, now.UnixMilli()+100+time.Hour.Milliseconds(), at.WallMillis)
	require.Equal(t, int64(107), at.LeaseMillis)
	o := PeersOptions{WallSkew: func() time.Duration { return -time.Hour }}
	require.InDelta(t, time.Now().Add(-time.Hour).UnixMilli(), o.wallMillis(), 60_000)
}
