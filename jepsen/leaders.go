//go:build linux

package jepsen

import (
	"context"
	"time"

	"github.com/ferrymq/ferrymq/jepsen/history"
)

// leads is the name of the leader, the last one known while there is none.
func (a *arena) leads() string {
	ctx, cancel := context.WithTimeout(a.ctx, time.Second)
	defer cancel()
	if n, _, err := a.cluster.Leader(ctx, a.admin); err == nil {
		a.lastLeader = n.Name
	}
	return a.lastLeader
}

// leaderPatience is how long a nemesis waits for a leader to hurt.
const leaderPatience = 5 * time.Second

// leaderOr is the leader, or a node that does not lead.
func (a *arena) leaderOr(leader bool) *machine {
	ctx, cancel := context.WithTimeout(a.ctx, leaderPatience)
	defer cancel()
	for ctx.Err() == nil {
		n, _, err := a.cluster.Leader(ctx, a.admin)
		if err == nil {
			a.lastLeader = n.Name
			break
		}
		a.wait(ctx, 20*time.Millisecond)
	}
	if leader && a.lastLeader != "" {
		return a.machine(a.lastLeader)
	}
	rest := a.machines
	if a.lastLeader != "" {
		rest = a.others(a.machine(a.lastLeader))
	}
	return rest[a.rand.IntN(len(rest))]
}

// newLeader observes whether another node took over. It is asked when the
// fault ends, and as long as that takes, a node that just voted may hesitate.
func (a *arena) newLeader(old *machine) func() history.Bite {
	return func() history.Bite {
		b := history.Bite{What: "another leader"}
		if a.leads() != old.Name {
			b.Count = 1
		}
		return b
	}
}

// minority is as many nodes as the cluster can do without, none of them the
// leader, and the rest.
func (a *arena) minority() (few, rest []*machine) {
	leader := a.leaderOr(true)
	others := a.others(leader)
	a.rand.Shuffle(len(others), func(i, j int) { others[i], others[j] = others[j], others[i] })
	n := (len(a.machines) - 1) / 2
	return others[:n], append(others[n:], leader)
}

// wholePoll is how often a cluster is looked at while it heals.
const wholePoll = 50 * time.Millisecond

// whole waits until every node is a healthy voter. A node that had to be
// rebuilt is a new server, which votes when a person has removed its dead
// self: this is that person.
func (a *arena) whole(ctx context.Context) error {
	for {
		err := bounded(ctx, wholeLook, func(ctx context.Context) error { return a.cluster.Settled(ctx, a.admin) })
		if err == nil || ctx.Err() != nil {
			return err
		}
		a.removeDead(ctx)
		a.wait(ctx, wholePoll)
	}
}

// wholeLook is how long a cluster may take to become whole before somebody
// looks whether a dead server is in its way.
const wholeLook = 500 * time.Millisecond

// removeDead removes the dead selves of nodes that were rebuilt.
func (a *arena) removeDead(ctx context.Context) {
	_, g, err := a.cluster.Leader(ctx, a.admin)
	if err != nil {
		return
	}
	servers := map[string]int{}
	for _, m := range g.Members {
		servers[m.Node]++
	}
	for _, m := range a.machines {
		if servers[m.Name] < 2 {
			continue
		}
		err := a.admin.RemoveNode(ctx, m.Name)
		a.tell("a person removes the dead self of %s: %v", m.Name, err)
	}
}
