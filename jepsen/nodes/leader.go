package nodes

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ferrymq/ferrymq/client"
)

// ErrNoSuchNode says that a group names a leader that is not of the cluster.
var ErrNoSuchNode = errors.New("the leader is none of the nodes")

// Leader asks the cluster who leads its first group.
func (c *Cluster) Leader(ctx context.Context, conn *client.Conn) (*Node, client.GroupInfo, error) {
	info, err := conn.Cluster(ctx)
	if err != nil {
		return nil, client.GroupInfo{}, fmt.Errorf("ask for the leader: %w", err)
	}
	if len(info.Groups) == 0 {
		return nil, client.GroupInfo{}, fmt.Errorf("%s knows of no group", info.Node)
	}
	g := info.Groups[0]
	n := c.Node(g.Leader)
	if n == nil {
		return nil, g, fmt.Errorf("%w: %q", ErrNoSuchNode, g.Leader)
	}
	return n, g, nil
}

// Settled waits until every node is a healthy voter of its leader, so that the
// next kill finds the cluster whole.
func (c *Cluster) Settled(ctx context.Context, conn *client.Conn) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		_, g, err := c.Leader(ctx, conn)
		if err == nil {
			err = whole(g, len(c.nodes))
		}
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the cluster is not whole: %w: %w", ctx.Err(), err)
		case <-tick.C:
		}
	}
}

func whole(g client.GroupInfo, nodes int) error {
	voters := 0
	for _, m := range g.Members {
		if !m.Healthy {
			return fmt.Errorf("%s is not healthy", m.Node)
		}
		if m.Voter {
			voters++
		}
	}
	if voters != nodes {
		return fmt.Errorf("%d of %d nodes vote", voters, nodes)
	}
	return nil
}
