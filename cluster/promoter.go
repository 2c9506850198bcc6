package cluster

import (
	"slices"

	"github.com/hashicorp/raft"
	autopilot "github.com/hashicorp/raft-autopilot"
)

// promoter is autopilot's own, but it leaves a rebuilt node a non-voter for as
// long as its dead self votes. As a further voter it would not make up for the
// dead one, but raise the majority: of three nodes all must then live, and if
// this one has to be rebuilt again, the others lose their majority for good.
type promoter struct{ autopilot.Promoter }

func newPromoter() promoter { return promoter{autopilot.DefaultPromoter()} }

// CalculatePromotionsAndDemotions implements autopilot.Promoter.
func (p promoter) CalculatePromotionsAndDemotions(c *autopilot.Config, s *autopilot.State) autopilot.RaftChanges {
	changes := p.Promoter.CalculatePromotionsAndDemotions(c, s)
	voting := make(map[string]bool)
	for id, server := range s.Servers {
		if server.HasVotingRights() {
			voting[nodeOf(id)] = true
		}
	}
	changes.Promotions = slices.DeleteFunc(changes.Promotions, func(id raft.ServerID) bool { return voting[nodeOf(id)] })
	return changes
}
