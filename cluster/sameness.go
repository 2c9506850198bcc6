package cluster

import (
	"context"
	"fmt"
	"slices"

	"github.com/ferrymq/ferrymq/transport"
)

// compareDigests compares what the replicas say about entries that this
// leader has applied, too. A replica that differs is reported every round. If
// it is alone against a majority, it is told to rebuild itself; if it is this
// leader that most others differ from, leadership goes elsewhere and the next
// leader decides.
func (p *pilot) compareDigests(ctx context.Context, replies map[string]StatsReply) {
	servers := p.r.servers()
	same := 1 // this replica
	var differ []string
	for _, s := range servers {
		id := string(s.ID)
		reply, known := replies[id]
		if !known || id == p.r.ServerID() || reply.DigestIndex == 0 {
			continue
		}
		own, known := p.r.fsm.digests.at(reply.DigestIndex)
		switch {
		case !known: // it is ahead of what is applied here, or too far behind
		case own == reply.Digest:
			same++
		default:
			differ = append(differ, id)
			p.report(id, reply, own)
		}
	}
	if len(differ) == 0 {
		return
	}
	majority := len(servers)/2 + 1
	slices.Sort(differ)
	switch {
	case len(differ) == 1 && same >= majority:
		p.rebuildOther(ctx, differ[0], replies[differ[0]])
	case len(differ) >= majority:
		p.node.log.Error("most replicas differ from this leader: handing leadership over", "group", p.r.ID(), "servers", differ)
		if err := p.r.handOver(ctx, nil); err != nil {
			p.node.log.Error("leadership could not be handed over", "group", p.r.ID(), "error", err)
		}
	}
}

func (p *pilot) report(serverID string, reply StatsReply, own [32]byte) {
	node := nodeOf(raftID(serverID))
	p.node.log.Error("replicas differ", "group", p.r.ID(), "server", serverID, "index", reply.DigestIndex,
		"its_digest", fmt.Sprintf("%x", reply.Digest), "leader_digest", fmt.Sprintf("%x", own))
	p.node.opts.Metrics.mismatch(p.r.ID(), node)
	p.node.opts.OnDigestMismatch(p.r.ID(), node, reply.DigestIndex)
}

func (p *pilot) rebuildOther(ctx context.Context, serverID string, reply StatsReply) {
	own, known := p.r.fsm.digests.at(reply.DigestIndex)
	if !known {
		return
	}
	q := RebuildRequest{Group: p.r.ID(), Index: reply.DigestIndex, Digest: own}
	if _, err := ask[RebuildRequest, nothing](ctx, p.node.peers, nodeOf(raftID(serverID)), RequestRebuild, q); err != nil {
		p.node.log.Warn("a replica that differs was not told", "server", serverID, "error", err)
	}
}

// onRebuild believes only what it can see itself: that its own digest at that
// entry is another one.
func (n *Node) onRebuild(_ context.Context, from string, q RebuildRequest) (nothing, error) {
	r := n.replica(q.Group)
	if r == nil {
		return nothing{}, transport.Errorf(transport.CodeNotFound, "group %d is not here", q.Group)
	}
	if info, _ := r.Leader(); info.Leader != from {
		return nothing{}, transport.Errorf(transport.CodeNotLeader, "node %s does not lead group %d", from, q.Group)
	}
	own, known := r.fsm.digests.at(q.Index)
	if !known || own == q.Digest {
		return nothing{}, transport.Errorf(transport.CodeConflict, "the digest at %d is not another one", q.Index)
	}
	r.giveUp(fmt.Errorf("%w: group %d, entry %d: %w", ErrRebuild, q.Group, q.Index, errDiverged))
	return nothing{}, nil
}
