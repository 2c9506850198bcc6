package check

import (
	"slices"

	"github.com/ferrymq/ferrymq/jepsen/history"
)

// Rank is where its publisher wants a message to stand.
type Rank struct {
	Tenant   string
	Priority int
}

// Ranks judges the order in which a queue hands out messages of several
// priorities, and of several tenants if it is fair.
//
//   - Of one tenant and priority, what waits longest goes first.
//   - Of one tenant, nothing of a lower priority goes before a higher one, but
//     when it is the turn of those below, which comes once in Guard hand-outs,
//     comes no sooner and no later, and is of the one that waits longest.
//   - While a tenant has something ready, no other is handed more than its
//     weight; and a turn that began goes on until the weight is used, for as
//     long as there is something.
//
// Tokens say in which order leases were granted. What waited meanwhile is told
// by places in the log, and only what certainly did counts: from the entry
// that published it, or that gave it back, to its own next token. It does not
// matter to whom a message went, or when: credit only bounds how many do.
//
// Not every lease is seen, for its consumer may have been lost. Attempts tell:
// a message of which one is missing, or whose lease ended in a way that nobody
// was told of, is in doubt from then on until it was handed out for the last
// time. It may have been handed out meanwhile, and out of its turn, because it
// is suspected of a crash. Nothing is judged across that, but what waits
// longest.
type Ranks struct {
	Workload string
	Queue    string
	Rank     func(history.Key) Rank
	Guard    int            // of the queue: every so many
	Weights  map[string]int // of the tenants of a fair queue; nil: tenants do not matter

	Floors RanksFloors
}

// RanksFloors is how many hand-outs have to have been judged, and how many of
// them passed something by that certainly waited.
type RanksFloors struct {
	Judged  int64
	Passed  int64 // a lower priority
	Guarded int64 // a higher priority: it was the others' turn
	Turns   int64 // another tenant
}

// Name tells what the queue goes by.
func (r Ranks) Name() string {
	if r.Weights != nil {
		return "tenants"
	}
	return "priorities"
}

// Check takes n log n, and for each hand-out what waits meanwhile.
func (r Ranks) Check(run *history.Run) Verdict {
	j := &usher{Ranks: r, v: NewVerdict(r.Name(), r.Workload), highest: map[string]int{}}
	j.read(run)
	j.begin(true)
	for i := range j.given {
		g := &j.given[i]
		j.advance(g)
		j.longest(g)
		if j.doubtful(g.token()) {
			j.v.Notes["in doubt"]++
			j.begin(false)
			continue
		}
		j.judged++
		j.priorities(g)
		if r.Weights != nil {
			j.turns(g)
		}
	}
	j.v.Saw("judged", j.judged, r.Floors.Judged)
	j.v.Saw("passed", j.passed, r.Floors.Passed)
	j.v.Saw("guarded", j.guarded, r.Floors.Guarded)
	if r.Weights != nil {
		j.v.Saw("turns", j.waited, r.Floors.Turns)
	}
	return j.v.Done()
}

// usher is one check under way.
type usher struct {
	Ranks
	v *Verdict

	given   []handing // by token
	waits   []wait    // by the entry from which on they wait
	doubts  []doubt   // by their beginning
	highest map[string]int
	entries *entries

	now   []*wait // those that certainly wait while a hand-out is made
	until uint64  // the end of the doubts that began before it

	whole bool // nothing was in doubt since the queue was made
	rows  map[string]*row
	turn  stint

	judged, passed, guarded, waited int64
}

// advance finds what certainly waits while a hand-out is made, besides what it
// hands out.
func (j *usher) advance(g *handing) {
	entry := j.entries.earliest(g.token())
	for len(j.waits) > 0 && j.waits[0].from <= entry {
		j.now = append(j.now, &j.waits[0])
		j.waits = j.waits[1:]
	}
	j.now = slices.DeleteFunc(j.now, func(w *wait) bool { return w.until <= g.token() })
}

// doubtful tells whether something was in doubt when a token was given out.
func (j *usher) doubtful(token uint64) bool {
	for len(j.doubts) > 0 && j.doubts[0].after < token {
		j.until = max(j.until, j.doubts[0].to)
		j.doubts = j.doubts[1:]
	}
	return token <= j.until
}

// begin forgets what was counted.
func (j *usher) begin(whole bool) {
	j.whole, j.rows, j.turn = whole, map[string]*row{}, stint{}
}

// longest: within its tenant and priority, it waited longest, whoever else is
// in doubt.
func (j *usher) longest(g *handing) {
	for _, w := range j.now {
		if g.sure && w.rank == g.rank && w.id.Before(g.d.ID) {
			j.v.Add(KindOrder, g.d.Call, "%s waited longer: %s", w.id, g.d)
			return
		}
	}
}
