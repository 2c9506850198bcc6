package cluster

import (
	"github.com/hashicorp/raft"

	"github.com/ferrymq/ferrymq/transport"
)

// noTerm is the fence of an entry that is void in every term.
const noTerm = 0

// unstick appends a void entry when the log has an end that does not get
// committed although nothing is added behind it. It is called every round of
// statistics; stuck is what the last call returned.
//
// hashicorp/raft replicates the entry that promotes a server before it counts
// the server's answers. An answer that arrives between the two is lost, and if
// that server is needed for a majority, the promotion is committed only with
// the next entry: on an idle cluster, never.
func (g *Group) unstick(stuck uint64) uint64 {
	last := g.raft.LastIndex()
	if g.leading() == nil || g.raft.CommitIndex() >= last {
		return 0
	}
	if stuck != last {
		return last
	}
	g.log.Info("the end of the log waits to be committed: appending a void entry", "index", last)
	if err := g.appendVoid(); err != nil {
		g.log.Info("no void entry", "error", err)
	}
	return 0
}

// appendVoid appends an entry that every replica skips.
func (g *Group) appendVoid() error {
	g.calls.begin()
	defer g.calls.end()
	future := g.raft.ApplyLog(raft.Log{Extensions: fence(noTerm)}, requestTimeout)
	if err := future.Error(); err != nil {
		return transport.Errorf(transport.CodeUnknownOutcome, "group %d: %v", g.opts.ID, err)
	}
	return nil
}
