package cluster

import (
	"context"

	"github.com/hashicorp/raft"

	"github.com/ferrymq/ferrymq/transport"
)

// giveUp has a replica rebuilt that cannot follow its leader, if the leader
// agrees. Whatever keeps this one from following may keep others from it, too:
// if all wiped themselves, nobody would be left to join.
//
// The leader is asked once for each install that was too many; one that still
// cannot follow gets the next. A replica that was refused and gets no more
// follows, or soon will, and no entry may have shown it yet. If it went on
// asking, the leader would agree as soon as others were seen to follow.
func (n *Node) giveUp(r *replica) error {
	why := r.stuck.Swap(nil)
	if why == nil || !r.fsm.cannot.Load() || n.Err() != nil {
		return nil
	}
	leader, _ := r.Leader()
	ctx, cancel := context.WithTimeout(n.ctx, requestTimeout)
	defer cancel()
	q := GiveUpRequest{Group: r.ID(), ServerID: n.ServerID()}
	if _, err := ask[GiveUpRequest, nothing](ctx, n.peers, leader.Leader, RequestGiveUp, q); err != nil {
		return err
	}
	if r.fsm.cannot.Load() { // it may have caught up meanwhile
		r.giveUp(*why)
	}
	return nil
}

// onGiveUp is the leader's side. It agrees if, as they say now, the voters that
// follow are a majority without the server.
func (n *Node) onGiveUp(ctx context.Context, from string, q GiveUpRequest) (nothing, error) {
	r := n.replica(q.Group)
	if r == nil {
		return nothing{}, transport.Errorf(transport.CodeNotFound, "group %d is not here", q.Group)
	}
	if from != nodeOf(raftID(q.ServerID)) {
		return nothing{}, transport.Errorf(transport.CodeInvalid, "node %s asks for server %q", from, q.ServerID)
	}
	if err := r.Verify(ctx); err != nil {
		return nothing{}, err
	}
	voters, follow := 0, 0
	replies := r.pilot.ask(ctx, r.pilot.KnownServers())
	applied := r.fsm.applied.at()
	for _, s := range r.servers() {
		if s.Suffrage != raft.Voter {
			continue
		}
		voters++
		x, some := replies[string(s.ID)]
		if some && string(s.ID) != q.ServerID && !x.CannotFollow && x.AppliedIndex+pilotTrailingMax >= applied {
			follow++
		}
	}
	if follow < voters/2+1 {
		return nothing{}, transport.Errorf(transport.CodeConflict,
			"without %s, only %d of %d voters of group %d follow", q.ServerID, follow, voters, q.Group)
	}
	return nothing{}, nil
}
