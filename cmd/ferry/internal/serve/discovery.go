package serve

import (
	"log/slog"

	"github.com/ferrymq/ferrymq/cluster"
	"github.com/ferrymq/ferrymq/cluster/gossip"
)

// discovery is gossip as package cluster wants it: hints, and a bell.
type discovery struct {
	gossip  *gossip.Gossip
	changed chan struct{}
	done    chan struct{}
}

func newDiscovery(g *gossip.Gossip, log *slog.Logger) *discovery {
	d := &discovery{gossip: g, changed: make(chan struct{}, 1), done: make(chan struct{})}
	go d.run(log)
	return d
}

// run ends when gossip is closed.
func (d *discovery) run(log *slog.Logger) {
	defer close(d.done)
	for e := range d.gossip.Events() {
		switch e.Kind {
		case gossip.Conflict:
			log.Error("another node has this name: one of the two is misconfigured", "name", e.Member.ID, "addr", e.Member.Addr)
		case gossip.Joined, gossip.Left:
			log.Info("gossip: a node "+e.Kind.String(), "name", e.Member.ID, "addr", e.Member.Addr)
		}
		select {
		case d.changed <- struct{}{}:
		default:
		}
	}
}

// wait returns once run has ended.
func (d *discovery) wait() { <-d.done }

// Members implements cluster.Discovery.
func (d *discovery) Members() []cluster.Found {
	members := d.gossip.Members()
	found := make([]cluster.Found, 0, len(members))
	for _, m := range members {
		found = append(found, cluster.Found{Meta: m.Meta, Alive: m.Alive})
	}
	return found
}

// Changed implements cluster.Discovery.
func (d *discovery) Changed() <-chan struct{} { return d.changed }

// UpdateMeta implements cluster.Discovery.
func (d *discovery) UpdateMeta(meta []byte) error { return d.gossip.UpdateMeta(meta) }
