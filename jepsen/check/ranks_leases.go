package check

import (
	"cmp"
	"slices"

	"github.com/ferrymq/ferrymq/jepsen/history"
)

// handing is one hand-out.
type handing struct {
	d    *history.Op
	rank Rank
	sure bool // its message is not in doubt
}

func (g *handing) token() uint64 { return g.d.Token }

// wait is a time for which a message certainly was ready.
type wait struct {
	id    history.Witness
	rank  Rank
	from  uint64 // entry
	until uint64 // token: its hand-out
}

// doubt is a time, behind a token and up to another, in which a message may
// have been handed out, or may not.
type doubt struct{ after, to uint64 }

// read gathers what is known of every message.
func (j *usher) read(run *history.Run) {
	l := newLedger(run, j.Workload, []string{j.Queue})
	for _, m := range l.messages {
		rank := j.rank(m)
		j.highest[rank.Tenant] = max(j.highest[rank.Tenant], rank.Priority)
		if len(m.source.deliveries) == 0 {
			continue
		}
		if j.entries == nil {
			j.entries = newEntries(run, m.source.deliveries[0].ID.Group)
		}
		j.follow(&m.source, rank)
	}
	slices.SortStableFunc(j.given, func(a, b handing) int { return cmp.Compare(a.token(), b.token()) })
	slices.SortStableFunc(j.waits, func(a, b wait) int { return cmp.Compare(a.from, b.from) })
	slices.SortFunc(j.doubts, func(a, b doubt) int { return cmp.Compare(a.after, b.after) })
}

func (j *usher) rank(m *message) Rank {
	rank := j.Rank(m.key)
	if j.Weights == nil {
		rank.Tenant = ""
	}
	return rank
}

// follow goes through the leases of a message for as long as all is known of
// them, and notes its hand-outs.
func (j *usher) follow(x *life, rank Rank) {
	list := slices.CompactFunc(slices.Clone(x.deliveries), func(a, b *history.Op) bool { return a.Token == b.Token })
	from, sure := list[0].ID.Index, true // it was ready from there on
	after := uint64(0)                   // the last that is known
	doubt := func() {
		sure = false
		j.doubts = append(j.doubts, doubt{after, list[len(list)-1].Token})
	}
	for i, d := range list {
		if sure && d.Attempt != i+1 {
			if i == 0 {
				after = j.entries.before(from)
			}
			doubt()
		}
		if sure {
			j.waits = append(j.waits, wait{d.ID, rank, from, d.Token})
		}
		j.given = append(j.given, handing{d, rank, sure})
		if after = d.Token; sure && i+1 < len(list) {
			if from = returned(x, d.Token); from == 0 {
				doubt()
			}
		}
	}
}

// returned is the entry in which a nack gave a lease's message back, 0 if none
// is known to have.
func returned(x *life, token uint64) uint64 {
	for _, s := range x.settles {
		if s.Token == token && s.Kind == history.Nack && s.Outcome == history.OK {
			return s.At.Index
		}
	}
	return 0
}
