package serve

import (
	"context"

	"github.com/ferrymq/ferrymq/cluster"
	"github.com/ferrymq/ferrymq/transport"
)

// requestStatus asks a node how it sees the groups that it leads.
const requestStatus = "status"

// admin implements broker.Admin.
type admin struct {
	node *cluster.Node

	// alarms lists a group's alarms on this node. Required.
	alarms func(group uint32) []string
}

// Status describes the groups, each as its leader sees it; stale: as this node
// does, without asking anybody.
func (a admin) Status(ctx context.Context, stale bool) (transport.ClusterInfo, error) {
	info := a.status()
	if stale {
		return info, nil
	}
	for i := range info.Groups {
		group, err := a.byLeader(ctx, info.Groups[i].Group)
		if err != nil {
			return transport.ClusterInfo{}, err
		}
		info.Groups[i] = group
	}
	return info, nil
}

// status describes the groups as this node sees them.
func (a admin) status() transport.ClusterInfo {
	info := a.node.Status()
	for i := range info.Groups {
		info.Groups[i].Alarms = a.alarms(info.Groups[i].Group)
	}
	return info
}

// byLeader is a group as its leader, proven to lead still, sees it.
func (a admin) byLeader(ctx context.Context, group uint32) (transport.GroupStatus, error) {
	g := a.node.Group(group)
	if g == nil {
		return transport.GroupStatus{}, transport.Errorf(transport.CodeNotFound, "group %d is not here", group)
	}
	leader, self := g.Leader()
	switch {
	case self:
		return a.led(ctx, g)
	case leader.Leader == "":
		return transport.GroupStatus{}, transport.Errorf(transport.CodeNoLeader, "group %d has no leader", group)
	}
	body, err := a.node.Peers().Request(ctx, leader.Leader, requestStatus, transport.Marshal(&cluster.StatsRequest{Group: group}))
	if err != nil {
		return transport.GroupStatus{}, err
	}
	var status transport.GroupStatus
	return status, transport.Unmarshal(body, &status)
}

func (a admin) led(ctx context.Context, g *cluster.Group) (transport.GroupStatus, error) {
	if err := g.Verify(ctx); err != nil {
		return transport.GroupStatus{}, err
	}
	for _, s := range a.status().Groups {
		if s.Group == g.ID() {
			return s, nil
		}
	}
	return transport.GroupStatus{}, transport.Errorf(transport.CodeNotFound, "group %d is not here", g.ID())
}

// onStatus is the leader's side.
func (a admin) onStatus(ctx context.Context, _ string, body []byte) ([]byte, error) {
	var q cluster.StatsRequest
	if err := transport.Unmarshal(body, &q); err != nil {
		return nil, err
	}
	g := a.node.Group(q.Group)
	if g == nil {
		return nil, transport.Errorf(transport.CodeNotFound, "group %d is not here", q.Group)
	}
	status, err := a.led(ctx, g)
	if err != nil {
		return nil, err
	}
	return transport.Marshal(&status), nil
}

// Control changes membership or leadership, wherever it has to be done.
func (a admin) Control(ctx context.Context, c transport.Control) error {
	_, err := a.node.Control(ctx, c)
	return err
}

// stats asks a node, this one too, how far its replica is.
func (a admin) stats(ctx context.Context, node string, group uint32) (cluster.StatsReply, error) {
	var reply cluster.StatsReply
	body, err := a.node.Peers().Request(ctx, node, cluster.RequestStats, transport.Marshal(&cluster.StatsRequest{Group: group}))
	if err != nil {
		return reply, err
	}
	return reply, transport.Unmarshal(body, &reply)
}
