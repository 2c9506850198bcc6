package cli

import "github.com/ferrymq/ferrymq/client"

// clusterView is the cluster as JSON for programs.
type clusterView struct {
	ClusterID string      `json:"cluster_id"`
	Node      string      `json:"answered_by"`
	Groups    []groupView `json:"groups"`
}

type groupView struct {
	Group        uint32       `json:"group"`
	Leader       string       `json:"leader"`
	Term         uint64       `json:"term"`
	CommitIndex  uint64       `json:"commit_index"`
	AppliedIndex uint64       `json:"applied_index"`
	Digest       string       `json:"digest"`
	Alarms       []string     `json:"alarms"` // for which the leader refuses publishes
	Members      []memberView `json:"members"`
}

type memberView struct {
	Node          string `json:"node"`
	ServerID      string `json:"server_id"`
	Addr          string `json:"address"`
	ClientAddr    string `json:"client_address"`
	Voter         bool   `json:"voter"`
	Leader        bool   `json:"leader"`
	Healthy       bool   `json:"healthy"`
	LastIndex     uint64 `json:"last_index"`
	LastContactMs int64  `json:"last_contact_ms"` // -1: unknown
}

func viewCluster(info client.ClusterInfo) clusterView {
	v := clusterView{ClusterID: info.ClusterID, Node: info.Node, Groups: []groupView{}}
	for _, g := range info.Groups {
		w := groupView{Group: g.Group, Leader: g.Leader, Term: g.Term, CommitIndex: g.CommitIndex,
			AppliedIndex: g.AppliedIndex, Digest: g.Digest, Alarms: append([]string{}, g.Alarms...), Members: []memberView{}}
		for _, m := range g.Members {
			w.Members = append(w.Members, memberView{
				Node: m.Node, ServerID: m.ServerID, Addr: m.Addr, ClientAddr: m.ClientAddr, Voter: m.Voter,
				Leader: m.Leader, Healthy: m.Healthy, LastIndex: m.LastIndex, LastContactMs: contactMillis(m),
			})
		}
		v.Groups = append(v.Groups, w)
	}
	return v
}

func contactMillis(m client.MemberInfo) int64 {
	if m.LastContact < 0 {
		return -1
	}
	return m.LastContact.Milliseconds()
}
