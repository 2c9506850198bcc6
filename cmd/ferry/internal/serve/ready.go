package serve

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ferrymq/ferrymq/cluster"
)

var (
	errNoLeader  = errors.New("no leader is known, or this node is not a member yet")
	errCatchesUp = errors.New("this node is catching up")
)

// readyTimeout bounds the questions to this node and to the leader.
const readyTimeout = time.Second

// catchUp is how far each group has to be for this node to have caught up:
// what its leader had committed when it was first asked. Later the node is
// always an entry or two behind, which is no reason to send nobody to it.
type catchUp struct {
	mu     sync.Mutex
	target map[uint32]uint64
	done   map[uint32]bool
}

// ready is nil once every group has a leader and this node has caught up.
func (n *node) ready() error {
	if !n.cluster.Ready() {
		return errNoLeader
	}
	ctx, cancel := context.WithTimeout(context.Background(), readyTimeout)
	defer cancel()
	for _, g := range n.cluster.Groups() {
		if err := n.caughtUp.check(ctx, n.admin(), g); err != nil {
			return err
		}
	}
	return nil
}

func (c *catchUp) check(ctx context.Context, a admin, g *cluster.Group) error {
	c.mu.Lock()
	done, target := c.done[g.ID()], c.target[g.ID()]
	c.mu.Unlock()
	if done {
		return nil
	}
	if target == 0 {
		leader, _ := g.Leader()
		of, err := a.stats(ctx, leader.Leader, g.ID())
		if err != nil {
			return fmt.Errorf("the leader does not say how far it is: %w", err)
		}
		target = of.CommitIndex
	}
	own, err := a.stats(ctx, a.node.Name(), g.ID())
	if err != nil {
		return fmt.Errorf("this node does not say how far it is: %w", err)
	}
	reached := target > 0 && own.AppliedIndex >= target
	c.mu.Lock()
	c.target[g.ID()], c.done[g.ID()] = target, reached
	c.mu.Unlock()
	if !reached {
		return fmt.Errorf("%w: group %d has applied %d of %d", errCatchesUp, g.ID(), own.AppliedIndex, target)
	}
	return nil
}
