//go:build linux

package jepsen

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/ferrymq/ferrymq/jepsen/history"
	"github.com/ferrymq/ferrymq/jepsen/lab"
	"github.com/ferrymq/ferrymq/jepsen/lab/wire"
)

var networkNemeses = []nemesis{
	{name: "halves", frozen: true, does: halves},
	{name: "isolate-leader", frozen: true, telling: true, does: isolateLeader},
	{name: "one-way", does: oneWay},
	{name: "ring", nodes: 5, does: ring},
	{name: "flapping", does: flapping},
	{name: "client-cut", does: clientCut},
	{name: "delay-loss", does: delayLoss},
}

// link is a direction between two hosts.
type link struct{ from, to string }

// links are those of every one of some hosts with every one of others, in both
// directions, each once.
func links(some, others []string) []link {
	var all []link
	for _, a := range some {
		for _, b := range others {
			if l := (link{a, b}); a != b && !slices.Contains(all, l) {
				all = append(all, l, link{b, a})
			}
		}
	}
	return all
}

// halves cuts a minority that does not hold the leader off from the rest of
// the cluster, clients excepted, for all of the time.
func halves(ctx context.Context, a *arena) error {
	few, rest := a.minority()
	f := a.begin("partition", few)
	cut := a.impose(wire.Rule{Block: true}, links(names(few), names(rest))...)
	a.wait(ctx, a.o.Time)
	f.end(cut.lift()...)
	return nil
}

// isolateLeader cuts the leader off from the other nodes, not from its
// clients: it must not confirm anything any more, nor deliver.
func isolateLeader(ctx context.Context, a *arena) error {
	m := a.leaderOr(true)
	f := a.begin("isolate leader", []*machine{m}, a.newLeader(m))
	cut := a.impose(wire.Rule{Block: true}, links([]string{m.Name}, names(a.others(m)))...)
	a.wait(ctx, a.o.Time)
	f.end(cut.lift()...)
	return nil
}

// oneWay cuts single directions: what the leader sends, then what it receives.
func oneWay(ctx context.Context, a *arena) error {
	return a.each(ctx, 2, func(i int) error {
		m := a.leaderOr(true)
		var dead []link
		for _, o := range a.others(m) {
			if i%2 == 0 {
				dead = append(dead, link{m.Name, o.Name})
			} else {
				dead = append(dead, link{o.Name, m.Name})
			}
		}
		f := a.begin([]string{"leader is not heard", "leader hears nothing"}[i%2], []*machine{m})
		cut := a.impose(wire.Rule{Block: true}, dead...)
		a.wait(ctx, a.between(1500*time.Millisecond, 3*time.Second))
		f.end(cut.lift()...)
		return nil
	})
}

// ring lets every node talk to its two neighbours only: there are majorities,
// and no two nodes agree on which.
func ring(ctx context.Context, a *arena) error {
	order := a.rand.Perm(len(a.machines))
	var dead []link
	for i := range order {
		for j := range i {
			if apart := i - j; apart > 1 && apart < len(order)-1 {
				dead = append(dead, links([]string{a.machines[order[i]].Name}, []string{a.machines[order[j]].Name})...)
			}
		}
	}
	f := a.begin("ring", a.machines)
	cut := a.impose(wire.Rule{Block: true}, dead...)
	a.wait(ctx, a.o.Time)
	f.end(cut.lift()...)
	return nil
}

// flapping cuts and heals random links, each for a moment.
func flapping(ctx context.Context, a *arena) error {
	for i := 0; ctx.Err() == nil || i < 5; i++ {
		m := a.machines[a.rand.IntN(len(a.machines))]
		other := a.others(m)[a.rand.IntN(len(a.machines)-1)]
		f := a.begin("flap", []*machine{m, other})
		cut := a.impose(wire.Rule{Block: true}, links([]string{m.Name}, []string{other.Name})...)
		// Long enough that heartbeats and retransmissions fall into it.
		a.wait(ctx, a.between(300*time.Millisecond, 800*time.Millisecond))
		f.end(cut.lift()...)
		a.wait(ctx, a.between(50*time.Millisecond, 300*time.Millisecond))
	}
	return nil
}

// clientCut cuts the clients off from the leader, both ways and then one way;
// the nodes see each other all the time.
func clientCut(ctx context.Context, a *arena) error {
	return a.each(ctx, 2, func(i int) error {
		m := a.leaderOr(true)
		dead := [][]link{
			links([]string{m.Name}, []string{lab.Clients}), {{m.Name, lab.Clients}},
		}[i%2]
		f := a.begin([]string{"clients cut off", "answers lost"}[i%2], []*machine{m})
		cut := a.impose(wire.Rule{Block: true}, dead...)
		a.wait(ctx, a.between(1500*time.Millisecond, 3*time.Second))
		f.end(cut.lift()...)
		return nil
	})
}

// delayLoss makes every link of the cluster slow and unreliable, those of the
// clients included.
func delayLoss(ctx context.Context, a *arena) error {
	f := a.begin("delay and loss", a.machines)
	everybody := append(names(a.machines), lab.Clients)
	bad := a.impose(wire.Rule{
		Delay: 5 * time.Millisecond, Jitter: 4 * time.Millisecond,
		Loss: 0.01, Reorder: 0.02, Duplicate: 0.01,
	}, links(everybody, everybody)...)
	a.wait(ctx, a.o.Time)
	f.end(bad.lift()...)
	return nil
}

// imposed is a rule that holds on some links.
type imposed struct {
	a      *arena
	on     []link
	before map[wire.Link]wire.Counters
	err    error
}

// impose sets a rule on links that have none.
func (a *arena) impose(rule wire.Rule, on ...link) *imposed {
	i := &imposed{a: a, on: on, before: a.net.Counters()}
	for _, l := range on {
		i.err = errors.Join(i.err, a.net.Set(l.from, l.to, rule))
	}
	return i
}

// lift ends the rule and tells what it did to packets.
func (i *imposed) lift() []history.Bite {
	now := i.a.net.Counters()
	var sum wire.Counters
	for _, l := range i.on {
		w := wire.Link{From: l.from, To: l.to}
		did := now[w].Sub(i.before[w])
		sum.Blocked += did.Blocked
		sum.Lost += did.Lost
		sum.Delayed += did.Delayed
		sum.Reordered += did.Reordered
		sum.Duplicated += did.Duplicated
		i.err = errors.Join(i.err, i.a.net.Set(l.from, l.to, wire.Rule{}))
	}
	if i.err != nil {
		return []history.Bite{{What: i.err.Error()}}
	}
	var bites []history.Bite
	for _, b := range []history.Bite{
		{What: "packets blocked", Count: sum.Blocked},
		{What: "packets lost", Count: sum.Lost},
		{What: "packets delayed", Count: sum.Delayed},
		{What: "packets reordered", Count: sum.Reordered},
		{What: "packets duplicated", Count: sum.Duplicated},
	} {
		if b.Count > 0 {
			bites = append(bites, b)
		}
	}
	return bites
}
