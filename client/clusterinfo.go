package client

import (
	"encoding/hex"
	"time"

	"github.com/ferrymq/ferrymq/transport"
)

// ClusterInfo is what the cluster, or with Stale the node asked, knows of itself.
type ClusterInfo struct {
	ClusterID string // hex
	Node      string // that answered
	Groups    []GroupInfo
}

// GroupInfo is one Raft group.
type GroupInfo struct {
	Group        uint32
	Leader       string // node, "" when unknown
	Term         uint64
	CommitIndex  uint64
	AppliedIndex uint64
	Digest       string // hex of the running digest at AppliedIndex
	Members      []MemberInfo
	// Alarms for which the leader refuses publishes: "memory", "disk", "lag"; there
	// may be new ones. Stale: of the node asked, which refuses only while it leads.
	Alarms []string
}

// MemberInfo is one replica of a group.
type MemberInfo struct {
	Node        string
	ServerID    string
	Addr        string // for nodes
	ClientAddr  string // for clients
	Voter       bool
	Leader      bool
	Healthy     bool
	LastIndex   uint64
	LastContact time.Duration // with the leader; negative: unknown
}

func clusterInfoFrom(c transport.ClusterInfo) ClusterInfo {
	info := ClusterInfo{ClusterID: hex.EncodeToString(c.ClusterID[:]), Node: c.Node}
	for _, g := range c.Groups {
		group := GroupInfo{
			Group: g.Group, Leader: g.Leader, Term: g.Term,
			CommitIndex: g.CommitIndex, AppliedIndex: g.AppliedIndex, Digest: g.Digest, Alarms: g.Alarms,
		}
		for _, m := range g.Members {
			group.Members = append(group.Members, MemberInfo{
				Node: m.Node, ServerID: m.ServerID, Addr: m.Addr, ClientAddr: m.ClientAddr,
				Voter: m.Voter, Leader: m.Leader, Healthy: m.Healthy, LastIndex: m.LastIndex,
				LastContact: time.Duration(m.LastContactMs) * time.Millisecond,
			})
		}
		info.Groups = append(info.Groups, group)
	}
	return info
}
