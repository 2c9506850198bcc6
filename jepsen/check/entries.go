package check

import (
	"cmp"
	"slices"

	"github.com/ferrymq/ferrymq/jepsen/history"
)

// entries bounds the log entry in which each lease of a group was granted, by
// the log alone and no clock. One counter gives out all tokens, entry by entry.
// So a lease was granted no sooner than the message of any lower token was
// published, and before any lease of a higher token was settled.
type entries struct {
	tokens []uint64 // rising
	from   []uint64 // the least index of each
	to     []uint64 // the greatest
}

// newEntries takes all workloads of a run: the more messages, the closer the bounds.
func newEntries(run *history.Run, group uint32) *entries {
	settled := map[uint64]uint64{} // by token: the first index that tells of a settle
	var deliveries []*history.Op
	for i := range run.Ops {
		o := &run.Ops[i]
		switch {
		case o.Token == 0 || o.ID.Group != group:
		case o.Kind == history.Deliver:
			deliveries = append(deliveries, o)
		case o.At.Index != 0 && (settled[o.Token] == 0 || o.At.Index < settled[o.Token]):
			settled[o.Token] = o.At.Index
		}
	}
	slices.SortStableFunc(deliveries, func(a, b *history.Op) int { return cmp.Compare(a.Token, b.Token) })
	n := len(deliveries)
	e := &entries{tokens: make([]uint64, n), from: make([]uint64, n), to: make([]uint64, n)}
	from, to := uint64(0), uint64(forever)
	for i, d := range deliveries {
		from = max(from, d.ID.Index)
		e.tokens[i], e.from[i] = d.Token, from
	}
	for i := n - 1; i >= 0; i-- {
		if index := settled[e.tokens[i]]; index != 0 {
			to = min(to, index-1)
		}
		e.to[i] = to
	}
	return e
}

// earliest is the index at or behind which a token that was seen was given out.
func (e *entries) earliest(token uint64) uint64 {
	i, _ := slices.BinarySearch(e.tokens, token)
	return e.from[i]
}

// before is the last token that was certainly given out before an entry, 0 if
// there is none.
func (e *entries) before(index uint64) uint64 {
	i, _ := slices.BinarySearch(e.to, index)
	if i == 0 {
		return 0
	}
	return e.tokens[i-1]
}
