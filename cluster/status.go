package cluster

import (
	"encoding/hex"

	"github.com/ferrymq/ferrymq/transport"
)

// Status describes the cluster as this node sees it; for a group that it leads,
// with what every member said of itself last.
func (n *Node) Status() transport.ClusterInfo {
	info := transport.ClusterInfo{ClusterID: n.ClusterID(), Node: n.opts.Name}
	for _, r := range n.groups {
		leader, _ := r.Leader()
		s := transport.GroupStatus{
			Group: r.ID(), Leader: leader.Leader, Term: leader.Term,
			CommitIndex: r.raft.CommitIndex(), AppliedIndex: r.fsm.applied.at(),
			Members: r.pilot.members(),
		}
		if d, some := r.fsm.digests.last(); some {
			s.AppliedIndex, s.Digest = d.Index, hex.EncodeToString(d.Digest[:])
		}
		info.Groups = append(info.Groups, s)
	}
	return info
}
