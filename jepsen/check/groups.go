package check

import (
	"cmp"
	"slices"
	"time"

	"github.com/ferrymq/ferrymq/jepsen/history"
)

// Groups judges message groups of one message at a time that wait for a failed
// one: a group is like a lock, which whoever has one of its messages holds, and
// whose messages are granted one after the other, each until it is done for
// good, across retries. Each producer of the history publishes one group.
type Groups struct {
	Workload string
	Queue    string

	Lease time.Duration // the shortest of a delivery that does not tell its own; 0: 60 s
	Grace time.Duration // of a session that lost its connection; 0: 5 s

	Floors GroupsFloors
}

// GroupsFloors is how much has to have been seen.
type GroupsFloors struct {
	Groups  int64
	Grants  int64
	Retried int64 // grants of a message that had one before
}

func (g Groups) Name() string { return "groups" }

// Check takes n log n.
func (g Groups) Check(run *history.Run) Verdict {
	l := newLedger(run, g.Workload, []string{g.Queue})
	w := &guard{ledger: l, v: NewVerdict(g.Name(), g.Workload), leases: newLeases(l, g.Lease, g.Grace)}
	groups := map[uint32][]hold{}
	var names []uint32
	for _, m := range l.messages {
		w.attempts(m)
		for _, d := range m.source.deliveries {
			if groups[m.key.Producer] == nil {
				names = append(names, m.key.Producer)
			}
			groups[m.key.Producer] = append(groups[m.key.Producer], hold{&m.source, d})
		}
	}
	retried := int64(0)
	for _, name := range names {
		w.holders(groups[name])
		retried += strict(w.v, groups[name])
	}
	w.v.Saw("groups", int64(len(names)), g.Floors.Groups)
	w.v.Saw("grants", w.grants, g.Floors.Grants)
	w.v.Saw("retried", retried, g.Floors.Retried)
	return w.v.Done()
}

// strict: by tokens, ids do not fall, so that a message which comes again comes
// before all that are behind it.
func strict(v *Verdict, list []hold) (retried int64) {
	slices.SortStableFunc(list, func(a, b hold) int { return cmp.Compare(a.d.Token, b.d.Token) })
	for i := range list[min(1, len(list)):] {
		a, b := list[i].d, list[i+1].d
		switch {
		case b.Token == a.Token:
		case b.ID == a.ID:
			retried++
		case a.ID.Group == b.ID.Group && b.ID.Before(a.ID):
			v.Add(KindOrder, b.Call, "token %d was of %s, behind it: %s", a.Token, a.Key, b)
		}
	}
	return retried
}
