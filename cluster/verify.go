package cluster

import (
	"context"
	"errors"

	"github.com/hashicorp/raft"

	"github.com/ferrymq/ferrymq/transport"
)

// verifiesMax is how many reads may wait for the next round.
const verifiesMax = 4096

type verifyRequest struct {
	done chan error // buffered
}

// Verify returns once this node is known to lead still and has applied
// everything that was committed before the call: a View after it is
// linearizable. Its error is a *transport.Error.
//
// All calls that wait while a round runs share the next one, so that reads
// cost a quorum of heartbeats a round, not each.
func (g *Group) Verify(ctx context.Context) error {
	if g.closing.Load() {
		return transport.Errorf(transport.CodeShuttingDown, "this node is shutting down")
	}
	r := &verifyRequest{done: make(chan error, 1)}
	select {
	case g.verifies <- r:
	case <-ctx.Done():
		return verifyTimeout(ctx.Err())
	case <-g.ctx.Done():
		return transport.Errorf(transport.CodeShuttingDown, "this node is shutting down")
	}
	select {
	case err := <-r.done:
		return err
	case <-ctx.Done():
		return verifyTimeout(ctx.Err())
	}
}

func verifyTimeout(err error) error {
	return transport.Errorf(transport.CodeTimeout, "the read was not confirmed in time: %v", err)
}

func (g *Group) verifyLoop() {
	for {
		var round []*verifyRequest
		select {
		case r := <-g.verifies:
			round = append(round, r)
		case <-g.ctx.Done():
			g.refuseVerifies()
			return
		}
		for len(round) < verifiesMax {
			select {
			case r := <-g.verifies:
				round = append(round, r)
				continue
			default:
			}
			break
		}
		err := g.verifyRound()
		for _, r := range round {
			r.done <- err
		}
	}
}

func (g *Group) refuseVerifies() {
	for {
		select {
		case r := <-g.verifies:
			r.done <- transport.Errorf(transport.CodeShuttingDown, "this node is shutting down")
		default:
			return
		}
	}
}

// verifyRound takes the commit index before it asks the quorum: taken after,
// it could belong to a leader that was already replaced (raft#603). It waits
// for what the state machine applied, not for raft's AppliedIndex, which is
// what was queued for it.
func (g *Group) verifyRound() error {
	l := g.leading()
	if l == nil {
		return transport.Errorf(transport.CodeNotLeader, "this node does not lead group %d", g.opts.ID)
	}
	index := g.raft.CommitIndex()
	if err := g.raft.VerifyLeader().Error(); err != nil {
		return transport.Errorf(transport.CodeNotLeader, "group %d: %v", g.opts.ID, err)
	}
	if g.raft.CurrentTerm() != l.term {
		return transport.Errorf(transport.CodeNotLeader, "group %d: %v", g.opts.ID, raft.ErrLeadershipLost)
	}
	if err := g.fsm.applied.wait(g.ctx, index); err != nil {
		if errors.Is(err, context.Canceled) || errors.Is(err, ErrClosed) {
			return transport.Errorf(transport.CodeShuttingDown, "this node is shutting down")
		}
		return transport.Errorf(transport.CodeInternal, "group %d: %v", g.opts.ID, err)
	}
	return nil
}
