package sim

import (
	"context"
	"errors"

	"github.com/ferrymq/ferrymq/cluster"
	"github.com/ferrymq/ferrymq/cluster/store"
	"github.com/ferrymq/ferrymq/transport"
)

// admin answers a broker's questions about the cluster from this node alone,
// which is all that the simulation asks for.
type admin struct{ node *cluster.Node }

func (a admin) Status(_ context.Context, stale bool) (transport.ClusterInfo, error) {
	info := a.node.Status()
	for _, g := range a.node.Groups() {
		if _, self := g.Leader(); !self && !stale {
			return info, transport.Errorf(transport.CodeUnsupported, "only stale status is simulated")
		}
	}
	return info, nil
}

func (a admin) Control(ctx context.Context, c transport.Control) error {
	_, err := a.node.Control(ctx, c)
	return err
}

// handler passes on to the broker what the cluster tells.
type handler struct {
	broker
	host *Host
}

func (h handler) LeaderChanged(g *cluster.Group, info transport.GroupInfo, self bool) {
	if self {
		h.host.world.trace.Note(h.host.Name, "leads term %d", info.Term)
	}
	h.broker.LeaderChanged(g.ID(), info, self)
}

// broker is what a handler needs of one.
type broker interface {
	cluster.PeerHandler
	LeaderChanged(group uint32, info transport.GroupInfo, self bool)
}

func isRebuild(err error) bool {
	return errors.Is(err, cluster.ErrRebuild) || errors.Is(err, store.ErrForgotten)
}
