package modeltest

import (
	"pgregory.net/rapid"

	"github.com/ferrymq/ferrymq/fsm"
)

func (g *generator) amend(t *rapid.T) Command {
	x := &fsm.Amend{OpHeader: g.header(t), Queue: g.queue(t),
		Action: choose(t, "action", fsm.AmendDelete, fsm.AmendMove, fsm.AmendMove, fsm.AmendRequeue, fsm.AmendSchedule),
		Reset:  percent(t, "reset") < 50}
	if x.Action == fsm.AmendMove {
		x.To = choose(t, "to", "", "", "q0", "q1", "q2", "t0", "q0.dlq", "nowhere")
	}
	if x.Action == fsm.AmendSchedule {
		x.AtMillis = g.m.clock.WallMillis + int64(choose(t, "at", -5, 0, 100, 2000, 10_000))
		if percent(t, "too far") < 3 {
			x.AtMillis += fsm.TenYearsMillis + 100_000
		}
	}
	if percent(t, "wrong action") < 2 {
		x.Action = choose(t, "action", 0, fsm.AmendSchedule+1)
	}
	switch n := percent(t, "many"); n {
	case 0:
		return Command{Command: x}
	case 1:
		x.Items = make([]fsm.AmendItem, fsm.MaxItems+1)
		return Command{Command: x}
	}
	for range pick(t, 1, 3, "items") {
		x.Items = append(x.Items, g.amended(t, x.Queue))
	}
	return Command{Command: x}
}

// amended names, mostly, a message that is there.
func (g *generator) amended(t *rapid.T, name string) fsm.AmendItem {
	q := g.m.queues[name]
	if q == nil || len(q.messages) == 0 {
		return fsm.AmendItem{Place: uint64(pick(t, 0, 9, "place"))}
	}
	msg := choose(t, "message", q.messages...)
	it := fsm.AmendItem{Place: msg.place, Index: msg.id.Index, Position: msg.id.Position}
	switch percent(t, "wrong") {
	case 0, 1:
		it.Place++
	case 2, 3:
		it.Position++
	}
	return it
}

func (g *generator) breaker(t *rapid.T) Command {
	x := &fsm.Breaker{OpHeader: g.header(t), Queue: g.queue(t), Action: choose(t, "action", fsm.BreakerOpen, fsm.BreakerClose, fsm.BreakerClose)}
	if percent(t, "wrong") < 5 {
		x.Action = choose(t, "action", 0, fsm.BreakerClose+1)
	}
	return Command{Command: x}
}

func (g *generator) resume(t *rapid.T) Command {
	x := &fsm.GroupResume{OpHeader: g.header(t), Queue: g.queue(t), Group: choose(t, "group", groups...)}
	for _, q := range g.m.queueList() {
		for _, l := range q.lines {
			if l.parked && percent(t, "parked") < 60 {
				x.Queue, x.Group = q.name, l.group
			}
		}
	}
	return Command{Command: x}
}

func (g *generator) weight(t *rapid.T) Command {
	return Command{Command: &fsm.TenantWeight{OpHeader: g.header(t), Queue: g.queue(t), Tenant: choose(t, "tenant", tenants...),
		Weight: uint32(choose(t, "weight", 0, 1, 2, 3, 5, fsm.MaxTenantWeight+1))}}
}
