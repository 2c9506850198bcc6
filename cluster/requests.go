package cluster

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/ferrymq/ferrymq/transport"
)

// The requests between nodes that this package answers.
const (
	RequestJoin      = "join"      // JoinRequest -> JoinReply, by the leader
	RequestStats     = "stats"     // StatsRequest -> StatsReply
	RequestControl   = "control"   // transport.Control -> transport.QueryReply, by the leader
	RequestBootstrap = "bootstrap" // BootstrapRequest -> nothing
	RequestRebuild   = "rebuild"   // RebuildRequest -> nothing
	RequestGiveUp    = "give-up"   // GiveUpRequest -> nothing, by the leader
)

// JoinRequest asks to be a member of a group, or whether one still is.
type JoinRequest struct {
	Group    uint32
	Node     string
	ServerID string
	PeerAddr string
	HasState bool // of this group
}

// JoinReply answers it.
type JoinReply struct {
	Voter bool
}

// StatsRequest asks how far a replica is.
type StatsRequest struct {
	Group uint32
}

// StatsReply answers it.
type StatsReply struct {
	ServerID      string
	LastContactMs int64 // since the leader was heard, 0 for the leader itself, -1 for never
	LastTerm      uint64
	LastIndex     uint64
	CommitIndex   uint64
	AppliedIndex  uint64
	DigestIndex   uint64 // 0: no digest yet
	Digest        [32]byte
	CannotFollow  bool // it gets the same snapshot again and again
}

// BootstrapRequest asks a node to be a voter of a new cluster.
type BootstrapRequest struct {
	ClusterID [16]byte
	Node      string // who bootstraps
}

// RebuildRequest tells a replica that its state differs from a majority's.
type RebuildRequest struct {
	Group  uint32
	Index  uint64
	Digest [32]byte // of the majority, right after the entry
}

// GiveUpRequest asks whether the group can do without a server's state.
type GiveUpRequest struct {
	Group    uint32
	ServerID string
}

func (n *Node) handleRequests() {
	n.peers.Handle(RequestJoin, answer(n.onJoin))
	n.peers.Handle(RequestStats, answer(n.onStats))
	n.peers.Handle(RequestControl, answer(n.onControl))
	n.peers.Handle(RequestBootstrap, answer(n.onBootstrap))
	n.peers.Handle(RequestRebuild, answer(n.onRebuild))
	n.peers.Handle(RequestGiveUp, answer(n.onGiveUp))
}

// answer decodes a request and encodes what f returns.
func answer[Q, R any](f func(ctx context.Context, from string, q Q) (R, error)) RequestHandler {
	return func(ctx context.Context, from string, body []byte) ([]byte, error) {
		var q Q
		if err := transport.Unmarshal(body, &q); err != nil {
			return nil, transport.Errorf(transport.CodeMalformed, "%v", err)
		}
		r, err := f(ctx, from, q)
		if err != nil {
			return nil, err
		}
		return transport.Marshal(&r), nil
	}
}

// ask is answer's other side.
func ask[Q, R any](ctx context.Context, p *Peers, node, kind string, q Q) (r R, err error) {
	body, err := p.Request(ctx, node, kind, transport.Marshal(&q))
	if err != nil {
		return r, err
	}
	if err := transport.Unmarshal(body, &r); err != nil {
		return r, transport.Errorf(transport.CodeMalformed, "answer to %q: %v", kind, err)
	}
	return r, nil
}

// nothing is the body of an answer that says only yes.
type nothing struct{}

func (n *Node) onStats(_ context.Context, _ string, q StatsRequest) (StatsReply, error) {
	r := n.replica(q.Group)
	if r == nil {
		return StatsReply{}, transport.Errorf(transport.CodeNotFound, "group %d is not here", q.Group)
	}
	return r.stats()
}

// stats of this replica.
func (g *Group) stats() (s StatsReply, failure error) {
	s = StatsReply{
		ServerID: g.opts.ServerID, LastIndex: g.raft.LastIndex(),
		CommitIndex: g.raft.CommitIndex(), AppliedIndex: g.fsm.applied.at(), LastContactMs: -1,
		CannotFollow: g.fsm.cannot.Load(),
	}
	stats := g.raft.Stats()
	number := func(name string) uint64 {
		n, err := strconv.ParseUint(stats[name], 10, 64)
		if err != nil {
			failure = errors.Join(failure, fmt.Errorf("raft's %s: %w", name, err))
		}
		return n
	}
	// Right after an install the log may be empty, and the last entry of the
	// snapshot one that the state machine does not see.
	s.LastTerm = max(number("last_log_term"), number("last_snapshot_term"))
	s.AppliedIndex = max(s.AppliedIndex, number("last_snapshot_index"))
	switch last := g.raft.LastContact(); {
	case g.leading() != nil:
		s.LastContactMs = 0
	case !last.IsZero():
		s.LastContactMs = time.Since(last).Milliseconds()
	}
	if d, some := g.fsm.digests.last(); some {
		s.DigestIndex, s.Digest = d.Index, d.Digest
	}
	return s, failure
}

// errDiverged: this replica's state differs from a majority's.
var errDiverged = errors.New("its state differs from a majority's")
