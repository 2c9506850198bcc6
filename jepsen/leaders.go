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

// whole waits until every node is a healthy voter.
func (a *arena) whole(ctx context.Context) error { return a.cluster.Settled(ctx, a.admin) }
