package cluster

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/hashicorp/raft"

	"github.com/ferrymq/ferrymq/transport"
)

// What a person can ask for with transport.Control.
const (
	ControlTransferLeader = "transfer-leader" // Node: a node's name, "" for any
	ControlRemove         = "remove"          // Node: a node's name or a server id
)

const controlRetry = 100 * time.Millisecond

// Control changes membership or leadership. It may be called on any node; it
// goes to the leader, and goes on until ctx ends while there is none.
func (n *Node) Control(ctx context.Context, c transport.Control) (transport.QueryReply, error) {
	r := n.replica(c.Group)
	if r == nil {
		return transport.QueryReply{}, transport.Errorf(transport.CodeNotFound, "group %d is not here", c.Group)
	}
	for {
		info, self := r.Leader()
		var reply transport.QueryReply
		var err error = transport.Errorf(transport.CodeNoLeader, "group %d has no leader", c.Group)
		switch {
		case self:
			reply, err = n.onControl(ctx, n.opts.Name, c)
		case info.Leader != "":
			reply, err = ask[transport.Control, transport.QueryReply](ctx, n.peers, info.Leader, RequestControl, c)
		}
		if !errors.Is(err, transport.CodeNotLeader) && !errors.Is(err, transport.CodeNoLeader) {
			return reply, err
		}
		select {
		case <-time.After(controlRetry):
		case <-ctx.Done():
			return reply, err
		case <-n.ctx.Done():
			return reply, transport.Errorf(transport.CodeShuttingDown, "this node is shutting down")
		}
	}
}

// onControl is the leader's side.
func (n *Node) onControl(ctx context.Context, _ string, c transport.Control) (transport.QueryReply, error) {
	r := n.replica(c.Group)
	if r == nil {
		return transport.QueryReply{}, transport.Errorf(transport.CodeNotFound, "group %d is not here", c.Group)
	}
	if err := r.Verify(ctx); err != nil {
		return transport.QueryReply{}, err
	}
	var err error
	switch c.Kind {
	case ControlTransferLeader:
		err = n.transferLeader(ctx, r, c.Node)
	case ControlRemove:
		err = n.remove(ctx, r, c.Node)
	default:
		err = transport.Errorf(transport.CodeUnsupported, "control %q", c.Kind)
	}
	if err != nil {
		return transport.QueryReply{}, err
	}
	return transport.QueryReply{Index: r.raft.CommitIndex()}, nil
}

func (n *Node) transferLeader(ctx context.Context, r *replica, node string) error {
	if node == n.opts.Name {
		return nil // it leads already
	}
	var to []string
	if node != "" {
		if !slices.ContainsFunc(r.otherVoters(), func(s raft.Server) bool { return nodeOf(s.ID) == node }) {
			return transport.Errorf(transport.CodeNotFound, "node %s is no voter of group %d", node, r.ID())
		}
		to = []string{node}
	}
	if err := r.handOver(ctx, to); err != nil {
		return transport.Errorf(transport.CodeConflict, "leadership of group %d was not taken over: %v", r.ID(), err)
	}
	return nil
}

// remove takes a server out of the configuration. The leader never removes
// itself: it hands leadership over, and who takes over removes it.
func (n *Node) remove(ctx context.Context, r *replica, name string) error {
	target, err := n.toRemove(r, name)
	if err != nil {
		return err
	}
	if err := n.mayRemove(r, target); err != nil {
		return err
	}
	if string(target.ID) == r.ServerID() {
		if err := r.handOver(ctx, nil); err != nil {
			return transport.Errorf(transport.CodeConflict, "the leader of group %d is to be removed, but nobody takes over: %v", r.ID(), err)
		}
		return transport.Errorf(transport.CodeNotLeader, "leadership of group %d moved", r.ID())
	}
	n.log.Warn("removing a server", "group", r.ID(), "server", target.ID)
	return configured(r.raft.RemoveServer(target.ID, 0, requestTimeout))
}

// toRemove finds the server. Of a node that was rebuilt there are two: the
// dead one is meant.
func (n *Node) toRemove(r *replica, name string) (raft.Server, error) {
	var named []raft.Server
	for _, s := range r.servers() {
		if string(s.ID) == name {
			return s, nil
		}
		if nodeOf(s.ID) == name {
			named = append(named, s)
		}
	}
	if len(named) > 1 {
		named = slices.DeleteFunc(named, func(s raft.Server) bool { return n.alive(s.ID) })
	}
	switch len(named) {
	case 0:
		return raft.Server{}, transport.Errorf(transport.CodeNotFound, "group %d has no server %q", r.ID(), name)
	case 1:
		return named[0], nil
	}
	return raft.Server{}, transport.Errorf(transport.CodeConflict, "node %s has %d dead servers in group %d: name one, like %s", name, len(named), r.ID(), named[0].ID)
}

// mayRemove refuses what would leave the group without a living majority.
func (n *Node) mayRemove(r *replica, target raft.Server) error {
	if target.Suffrage != raft.Voter {
		return nil
	}
	voters, alive := 0, 0
	for _, s := range r.servers() {
		if s.Suffrage != raft.Voter || s.ID == target.ID {
			continue
		}
		voters++
		if n.alive(s.ID) {
			alive++
		}
	}
	if voters == 0 || alive < voters/2+1 {
		return transport.Errorf(transport.CodeConflict,
			"without %s, group %d would have %d voters of which %d are alive", target.ID, r.ID(), voters, alive)
	}
	return nil
}
