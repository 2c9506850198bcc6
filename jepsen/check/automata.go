package check

import (
	"maps"
	"slices"
	"time"

	"github.com/ferrymq/ferrymq/jepsen/history"
)

// Automata follows each message through its states by what the broker tells of
// it, ids, tokens, attempts and places in the log:
//
//	absent -> ready -> leased(token) -> acked
//	            ^        |    |
//	            +--------+    +-> dead, which begins anew in the dead-letter queue
//
// A lease that ends otherwise goes back to ready, and the next one has a higher
// token and the next attempt. Every settle that was accepted had the lease, and
// every one that was refused with lease_lost had not, or not any more.
type Automata struct {
	Workload string
	Queues   []string // none: all that the workload names

	Lease        time.Duration // the shortest of a delivery that does not tell its own; 0: 60 s
	Grace        time.Duration // of a session that lost its connection; 0: 5 s
	FailureLimit int           // of the queues; 0: no limit is known

	Floors AutomataFloors
}

// AutomataFloors is how much has to have been followed.
type AutomataFloors struct {
	Messages int64 // with an id
	Leases   int64
	Settles  int64 // accepted
	Refused  int64 // settles, with lease_lost
}

func (a Automata) Name() string { return "automata" }

// Check takes n log n; the deliveries of one message are few.
func (a Automata) Check(run *history.Run) Verdict {
	l := newLedger(run, a.Workload, a.Queues)
	f := &follower{
		Automata: a, v: NewVerdict(a.Name(), a.Workload), leases: newLeases(l, a.Lease, a.Grace),
		ids: map[history.Witness]history.Key{}, tokens: map[lease]*life{},
	}
	f.leases.grants.contradictions(f.v)
	for _, m := range l.messages {
		f.identity(m)
		for _, x := range []*life{&m.source, &m.dead} {
			f.rise(x)
			for _, s := range x.settles {
				switch {
				case s.Outcome == history.OK:
					f.accepted(m, x, s)
				case s.Outcome == history.Fail && s.Code == "lease_lost":
					f.refused(x, s)
				}
			}
		}
	}
	f.v.Saw("messages", int64(len(f.ids)), a.Floors.Messages)
	f.v.Saw("leases", int64(len(f.tokens)), a.Floors.Leases)
	f.v.Saw("settles", f.settles, a.Floors.Settles)
	f.v.Saw("refused", f.refusals, a.Floors.Refused)
	return f.v.Done()
}

// follower is one check under way.
type follower struct {
	Automata
	v      *Verdict
	leases *leases
	ids    map[history.Witness]history.Key
	tokens map[lease]*life

	settles, refusals int64
}

// identity: a key has one id for life, and an id one key.
func (f *follower) identity(m *message) {
	var id history.Witness
	see := func(o *history.Op, x history.Witness) {
		switch key, known := f.ids[x]; {
		case x == (history.Witness{}):
		case id == (history.Witness{}):
			if known {
				f.v.Add(KindIdentity, o.Call, "%s is the id of %s: %s", x, key, o)
			}
			id, f.ids[x] = x, m.key
		case x != id:
			f.v.Add(KindIdentity, o.Call, "%s has the id %s as well as %s: %s", m.key, id, x, o)
		}
	}
	if m.publish != nil && m.publish.Outcome == history.OK {
		see(m.publish, m.publish.At)
	}
	for _, x := range []*life{&m.source, &m.dead} {
		for _, d := range x.deliveries {
			see(d, d.ID)
		}
		for _, s := range x.settles {
			see(s, s.ID)
		}
	}
}

// rise: attempts and failures go up with tokens, and a token is of one message.
func (f *follower) rise(x *life) {
	var before *history.Op
	for _, d := range x.deliveries {
		if d.Token == 0 || before != nil && before.Token == d.Token {
			continue // no lease, or one that is said twice: accounting's
		}
		if other := f.tokens[lease{d.ID.Group, d.Token}]; other != nil && other != x {
			f.v.Add(KindToken, d.Call, "token %d is of %s as well: %s", d.Token, other.deliveries[0].Key, d)
		}
		f.tokens[lease{d.ID.Group, d.Token}] = x
		f.counters(before, d)
		before = d
	}
}

func (f *follower) counters(before, d *history.Op) {
	switch {
	case d.Attempt < 1:
		f.v.Add(KindAttempt, d.Call, "attempt %d: %s", d.Attempt, d)
	case before != nil && d.Attempt <= before.Attempt:
		f.v.Add(KindAttempt, d.Call, "token %d was attempt %d: %s", before.Token, before.Attempt, d)
	}
	switch {
	case before != nil && d.Failures < before.Failures:
		f.v.Add(KindFailures, d.Call, "%d failures, and %d at token %d: %s", d.Failures, before.Failures, before.Token, d)
	case d.Failures >= max(1, d.Attempt):
		f.v.Add(KindFailures, d.Call, "%d failures: %s", d.Failures, d)
	case f.FailureLimit > 0 && d.Failures >= f.FailureLimit && !isDead(d):
		f.v.Add(KindFailures, d.Call, "%d failures, and %d are the limit: %s", d.Failures, f.FailureLimit, d)
	}
}

// contradictions finds a token that must have been granted after a higher one:
// one of each group, for all that follow are the same contradiction.
func (g *grants) contradictions(v *Verdict) {
	for _, group := range slices.Sorted(maps.Keys(g.groups)) {
		x := g.groups[group]
		for i := range x.tokens {
			if x.from[i] > x.to[i] {
				v.Add(KindToken, x.to[i], "of group %d: token %d or one below it is of a message published at %.3fs, "+
					"and it or one above it was delivered at %.3fs", group, x.tokens[i], float64(x.from[i])/1e9, float64(x.to[i])/1e9)
				break
			}
		}
	}
}
