package check

import (
	"cmp"
	"slices"

	"github.com/ferrymq/ferrymq/jepsen/history"
)

// grants bounds when each lease was granted. A delivery is seen when its
// handler starts, which is any time after that. But one counter of a group
// gives out all tokens, so a token was granted after every message with a
// lower one was published, and before any with a higher one was delivered.
type grants struct{ groups map[uint32]*granted }

// granted is the tokens of a group in rising order, with their bounds.
type granted struct {
	tokens   []uint64
	from, to []int64
}

// newGrants takes all workloads of a run: the more messages, the closer the bounds.
func newGrants(run *history.Run) *grants {
	published := map[history.Key]int64{}
	for i := range run.Ops {
		if o := &run.Ops[i]; o.Kind == history.Publish {
			published[o.Key] = o.Call
		}
	}
	byGroup := map[uint32][]*history.Op{}
	for i := range run.Ops {
		if o := &run.Ops[i]; o.Kind == history.Deliver && o.Token != 0 {
			byGroup[o.ID.Group] = append(byGroup[o.ID.Group], o)
		}
	}
	g := &grants{groups: map[uint32]*granted{}}
	for group, deliveries := range byGroup {
		g.groups[group] = bound(deliveries, published)
	}
	return g
}

func bound(deliveries []*history.Op, published map[history.Key]int64) *granted {
	slices.SortFunc(deliveries, func(a, b *history.Op) int { return cmp.Compare(a.Token, b.Token) })
	n := len(deliveries)
	g := &granted{tokens: make([]uint64, n), from: make([]int64, n), to: make([]int64, n)}
	from, to := int64(0), int64(forever)
	for i, d := range deliveries {
		from = max(from, published[d.Key])
		g.tokens[i], g.from[i] = d.Token, from
	}
	for i := n - 1; i >= 0; i-- {
		to = min(to, deliveries[i].Call)
		g.to[i] = to
	}
	return g
}

// at finds a delivery's lease. The delivery is one of the run that the grants
// were made from, with a token.
func (g *grants) at(d *history.Op) (*granted, int) {
	x := g.groups[d.ID.Group]
	i, _ := slices.BinarySearch(x.tokens, d.Token)
	return x, i
}

// earliest and latest are the bounds of a delivery's grant.
func (g *grants) earliest(d *history.Op) int64 {
	x, i := g.at(d)
	return x.from[i]
}

func (g *grants) latest(d *history.Op) int64 {
	x, i := g.at(d)
	return x.to[i]
}
