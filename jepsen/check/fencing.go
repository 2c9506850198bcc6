package check

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/ferrymq/ferrymq/jepsen/history"
)

// Write is an operation on a resource that a queue's lock guards, in the
// process of the clients and not on the broker. Queue is the lock's, Token what
// the writer holds. It is OK if the resource took it, and Fail with the code
// CodeFenced if it had seen a higher token. It is recorded under the resource's
// mutex, so that writes stand in the history in the order in which they
// happened.
const Write history.Kind = "write"

// CodeFenced is a resource's refusal of a token below one that it has seen.
const CodeFenced = "fenced"

// Fencing judges locks. A lock is a queue with one message: who has it leased,
// holds the lock, until it hands the message back, or acks it and publishes the
// next. No lease can keep a holder from going on when it has run out; what is
// promised is that it is noticed: tokens rise from holder to holder, two hold
// the lock at once only when nobody can know it, and whatever the older one
// then does is refused, by the broker and by the resource. That must have
// happened, not be absent.
type Fencing struct {
	Workload string
	Queues   []string // the locks; none: all queues that the workload names

	Lease time.Duration // the shortest of a delivery that does not tell its own; 0: 60 s
	Grace time.Duration // of a session that lost its connection; 0: 5 s

	Floors FencingFloors
}

// FencingFloors is how much has to have been seen.
type FencingFloors struct {
	Grants int64
	Writes int64 // taken by resources
	Fenced int64 // settles and writes of stale holders, refused
}

func (f Fencing) Name() string { return "fencing" }

// Check takes n log n.
func (f Fencing) Check(run *history.Run) Verdict {
	l := newLedger(run, f.Workload, f.Queues)
	g := &guard{ledger: l, v: NewVerdict(f.Name(), f.Workload), leases: newLeases(l, f.Lease, f.Grace)}
	g.leases.grants.contradictions(g.v)
	locks := map[string][]hold{}
	for _, m := range l.messages {
		g.attempts(m)
		for _, d := range m.source.deliveries {
			if d.Token != 0 {
				locks[d.Queue] = append(locks[d.Queue], hold{&m.source, d})
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(locks)) {
		g.holders(locks[name])
	}
	g.resources(locks)
	g.v.Saw("grants", g.grants, f.Floors.Grants)
	g.v.Saw("writes", g.writes, f.Floors.Writes)
	g.v.Saw("fenced", g.fenced, f.Floors.Fenced)
	return g.v.Done()
}

// guard is one check under way.
type guard struct {
	*ledger
	v      *Verdict
	leases *leases

	grants, writes, fenced int64
}

// hold is one time that somebody held a lock.
type hold struct {
	in *life
	d  *history.Op
}

// attempts: of one message, they tell the order of its grants.
func (g *guard) attempts(m *message) {
	list := slices.Clone(m.source.deliveries)
	slices.SortStableFunc(list, func(a, b *history.Op) int { return cmp.Compare(a.Attempt, b.Attempt) })
	for i := range list[min(1, len(list)):] {
		if a, b := list[i], list[i+1]; b.Token <= a.Token && a.Token != 0 {
			g.v.Add(KindToken, b.Call, "attempt %d had token %d: %s", a.Attempt, a.Token, b)
		}
	}
}

// holders judges who held one lock after whom.
func (g *guard) holders(list []hold) {
	slices.SortStableFunc(list, func(a, b hold) int { return cmp.Compare(a.d.Token, b.d.Token) })
	for i, h := range list {
		g.grants++
		if i+1 == len(list) {
			g.settles(h, nil)
			continue
		}
		next := list[i+1].d
		if next.Token == h.d.Token {
			g.v.Add(KindShared, next.Call, "consumer %d was given it at %.3fs: %s", h.d.Consumer, float64(h.d.Call)/1e9, next)
			continue
		}
		if !g.freed(h, g.leases.grants.latest(next)) {
			g.v.Add(KindOverlap, next.Call, "nothing had ended token %d of consumer %d, seen at %.3fs: %s",
				h.d.Token, h.d.Consumer, float64(h.d.Call)/1e9, next)
		}
		g.settles(h, next)
	}
}

// freed tells whether a hold may have ended before a moment.
func (g *guard) freed(h hold, before int64) bool {
	for _, s := range h.in.settles {
		if s.Token == h.d.Token && s.Kind != history.Extend && maybe(s) && s.Call <= before {
			return true
		}
	}
	return g.leases.mayHaveEnded(h.in, h.d, before)
}

// settles judges what a holder did with its lease, and what the next holder
// has to do with it.
func (g *guard) settles(h hold, next *history.Op) {
	for _, s := range h.in.settles {
		if s.Token != h.d.Token || next == nil {
			continue
		}
		switch {
		case s.Outcome == history.OK && g.leases.grants.latest(next) < s.Call:
			g.v.Add(KindStaleSettle, s.Call, "token %d was given to consumer %d before %.3fs: %s",
				next.Token, next.Consumer, float64(g.leases.grants.latest(next))/1e9, s)
		case s.Code == "lease_lost" && g.leases.grants.earliest(next) <= s.Return:
			g.fenced++
		}
	}
}

// resources judges the writes of holders.
func (g *guard) resources(locks map[string][]hold) {
	granted := map[string]map[uint64]bool{}
	for name, list := range locks {
		granted[name] = map[uint64]bool{}
		for _, h := range list {
			granted[name][h.d.Token] = true
		}
	}
	highest := map[string]uint64{}
	for _, o := range g.ops {
		if o.Kind != Write {
			continue
		}
		top := highest[o.Queue]
		switch {
		case !granted[o.Queue][o.Token]:
			g.v.Add(KindToken, o.Call, "nobody was given token %d: %s", o.Token, o)
		case o.Outcome == history.OK && o.Token < top:
			g.v.Add(KindStaleWrite, o.Call, "token %d had written: %s", top, o)
		case o.Outcome == history.OK:
			g.writes++
			highest[o.Queue] = o.Token
		case o.Code == CodeFenced && o.Token >= top:
			g.v.Add(KindFreshRefused, o.Call, "token %d was the highest: %s", top, o)
		case o.Code == CodeFenced:
			g.fenced++
		}
	}
}
