package client

import (
	"encoding/hex"
	"time"

	"github.com/ferrymq/ferrymq/transport"
)

// FailureLimitUnlimited as a queue's failure limit never dead-letters.
const FailureLimitUnlimited = int(transport.FailureLimitUnlimited)

// QueueSettings of a queue. Zero is the default.
type QueueSettings struct {
	MaxMessages  uint64        // 0: unlimited
	MaxBytes     uint64        // 0: unlimited; logical bytes, body and headers
	FailureLimit int           // 0: 10; FailureLimitUnlimited
	Lease        time.Duration // 0: 60 s; 1 s to 24 h
	DLQMessages  uint64        // 0: unlimited; the limit of the dead-letter queue
	DLQBytes     uint64        // 0: unlimited
}

// QueueInfo describes a queue.
type QueueInfo struct {
	Name        string
	Incarnation uint64
	Settings    QueueSettings
	Paused      bool
	Ready       uint64
	Leased      uint64
	Parked      uint64
	Bytes       uint64
	Consumers   int
	Published   uint64 // since it was created
	Acked       uint64
	Dead        uint64
	Purged      uint64
	DeadLetter  string    // name of its dead-letter queue, "" for one
	OldestReady time.Time // when the oldest ready message entered, zero for none
}

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

func (s QueueSettings) wire() (transport.QueueSettings, error) {
	lease := s.Lease.Milliseconds()
	if s.Lease < 0 || lease > 24*time.Hour.Milliseconds() || (s.Lease > 0 && s.Lease < time.Second) {
		return transport.QueueSettings{}, localError(transport.CodeInvalid, "settings", "",
			"a lease is 1 s to 24 h", nil)
	}
	if s.FailureLimit < FailureLimitUnlimited || s.FailureLimit > 1<<30 {
		return transport.QueueSettings{}, localError(transport.CodeInvalid, "settings", "",
			"a failure limit is at least 1, or unlimited", nil)
	}
	return transport.QueueSettings{
		MaxMessages: s.MaxMessages, MaxBytes: s.MaxBytes,
		FailureLimit: int32(s.FailureLimit), LeaseMs: uint32(lease),
		DLQMessages: s.DLQMessages, DLQBytes: s.DLQBytes,
	}, nil
}

func settingsFrom(s transport.QueueSettings) QueueSettings {
	return QueueSettings{
		MaxMessages: s.MaxMessages, MaxBytes: s.MaxBytes,
		FailureLimit: int(s.FailureLimit), Lease: millis(s.LeaseMs),
		DLQMessages: s.DLQMessages, DLQBytes: s.DLQBytes,
	}
}

func queueInfoFrom(q transport.QueueInfo) QueueInfo {
	info := QueueInfo{
		Name: q.Name, Incarnation: q.Incarnation, Settings: settingsFrom(q.Settings),
		Paused: q.Paused, Ready: q.Ready, Leased: q.Leased, Parked: q.Parked,
		Bytes: q.Bytes, Consumers: int(q.Consumers), Published: q.Published,
		Acked: q.Acked, Dead: q.Dead, Purged: q.Purged, DeadLetter: q.DeadLetter,
	}
	if q.OldestReadyMs > 0 {
		info.OldestReady = time.UnixMilli(q.OldestReadyMs)
	}
	return info
}

func clusterInfoFrom(c transport.ClusterInfo) ClusterInfo {
	info := ClusterInfo{ClusterID: hex.EncodeToString(c.ClusterID[:]), Node: c.Node}
	for _, g := range c.Groups {
		group := GroupInfo{
			Group: g.Group, Leader: g.Leader, Term: g.Term,
			CommitIndex: g.CommitIndex, AppliedIndex: g.AppliedIndex, Digest: g.Digest,
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

func millis(ms uint32) time.Duration { return time.Duration(ms) * time.Millisecond }
