package check

import (
	"testing"
	"time"

	"github.com/ferrymq/ferrymq/jepsen/history"
	"github.com/stretchr/testify/require"
)

const second = int64(time.Second)

// served is a history of a minute: a leader is frozen from second 10 to 40,
// which costs one term and some operations in the first seconds, all is whole
// from 40 on, and publishes end at 50.
func served() *history.Run {
	run := &history.Run{
		Nodes: testNodes, Healed: 40 * second, Stopped: 50 * second, Drained: 55 * second, Ended: 60 * second,
		Faults: []history.Fault{{Name: "pause leader", From: 10 * second, To: 40 * second, Frozen: true}},
	}
	for at := int64(0); at < 50*second; at += second / 10 {
		o := history.Op{Client: 1, Workload: "w", Queue: testQueue, Kind: history.Publish, Key: history.Key{Producer: 1, Seq: uint64(at + 1)},
			Call: at, Return: at + 5e6, Outcome: history.OK}
		if at > 10*second && at < 12*second {
			o.Outcome, o.Return = history.Unknown, at+5*second
		}
		run.Ops = append(run.Ops, o)
	}
	for at := int64(0); at < 60*second; at += second / 2 {
		for i, node := range testNodes {
			p := history.Probe{At: at, Node: node, Leader: "n1", Term: 4}
			if at > 11*second {
				p.Leader, p.Term = "n2", 5
			}
			if i == 0 && at > 10*second && at < 41*second {
				p = history.Probe{At: at, Node: node, Error: "no answer"}
			}
			run.Probes = append(run.Probes, p)
		}
	}
	return run
}

// probes changes those of a node from a moment on.
func probes(run *history.Run, node string, from int64, change func(*history.Probe)) {
	for i := range run.Probes {
		if p := &run.Probes[i]; p.Node == node && p.At >= from {
			change(p)
		}
	}
}

// called changes the operations called in a time.
func called(run *history.Run, from, to int64, change func(*history.Op)) {
	for i := range run.Ops {
		if o := &run.Ops[i]; o.Call >= from && o.Call < to {
			change(o)
		}
	}
}

func TestLiveness(t *testing.T) {
	c := Liveness{Floors: LivenessFloors{Probes: 100, Healed: 90, Frozen: 190}}
	mustFind(t, c, served, []planted{
		{"never again", KindLeaderless, func(_ *testing.T, run *history.Run) {
			probes(run, "n1", 0, func(p *history.Probe) { p.Leader = "" })
		}},
		{"too late", KindLeaderless, func(_ *testing.T, run *history.Run) {
			probes(run, "n1", 0, func(p *history.Probe) {
				if p.At < 46*second {
					p.Leader = ""
				}
			})
		}},
		{"two leaders in the end", KindLeaderless, func(_ *testing.T, run *history.Run) {
			probes(run, "n3", 45*second, func(p *history.Probe) { p.Leader = "n3" })
		}},
		{"late answers", KindSlow, func(_ *testing.T, run *history.Run) {
			called(run, 45*second, 46*second, func(o *history.Op) { o.Return = o.Call + 11*second })
		}},
		{"a slow drain", KindSlow, func(_ *testing.T, run *history.Run) { run.Drained = run.Stopped + 61*second }},
		{"slow while a fault stays", KindSlow, func(_ *testing.T, run *history.Run) {
			called(run, 25*second, 26*second, func(o *history.Op) { o.Return = o.Call + 2*second })
		}},
		{"unknown after the healing", KindFailing, func(_ *testing.T, run *history.Run) {
			called(run, 45*second, 46*second, func(o *history.Op) { o.Outcome = history.Unknown })
		}},
		{"no leader after the healing", KindFailing, func(_ *testing.T, run *history.Run) {
			called(run, 45*second, 46*second, func(o *history.Op) { o.Outcome, o.Code = history.Fail, "no_leader" })
		}},
		{"out of memory after the healing", KindFailing, func(_ *testing.T, run *history.Run) {
			called(run, 45*second, 46*second, func(o *history.Op) { o.Outcome, o.Code, o.Cause = history.Fail, "busy", "memory" })
		}},
		{"never answered", KindFailing, func(_ *testing.T, run *history.Run) {
			called(run, 45*second, 46*second, func(o *history.Op) { o.Outcome, o.Return = history.Pending, 0 })
		}},
		{"not drained", KindUndrained, func(_ *testing.T, run *history.Run) { run.Drained = 0 }},
		{"not served while a fault stays", KindUnavailable, func(_ *testing.T, run *history.Run) {
			called(run, 25*second, 26*second, func(o *history.Op) { o.Outcome = history.Unknown })
		}},
		{"a storm of elections", KindElections, func(_ *testing.T, run *history.Run) {
			probes(run, "n2", 30*second, func(p *history.Probe) { p.Term = 8 })
		}},
	})
	fine := served()
	called(fine, 45*second, 46*second, func(o *history.Op) { o.Outcome, o.Code, o.Cause = history.Fail, "busy", "messages" })
	require.Equal(t, Valid, c.Check(fine).Result, "a full queue is no fault: %s", c.Check(fine))
	called(fine, 48*second, 49*second, func(o *history.Op) { o.Outcome, o.Code = history.Fail, "closed" })
	require.Equal(t, Invalid, c.Check(fine).Result)
	fine.Ops = append(fine.Ops, history.Op{Client: 1, Workload: "w", Kind: history.Gone, Call: 48 * second, Return: 48 * second})
	require.Equal(t, Valid, c.Check(fine).Result, "its client had ended: %s", c.Check(fine))
}
