package check

import (
	"slices"

	"github.com/ferrymq/ferrymq/jepsen/history"
)

// FanOut judges a topic: every confirmed message is once in each subscription
// whose filter matches, under one id in all of them; one of an unknown outcome
// is in all or in none; and none is where it does not match. A subscription
// that may miss messages counts those, and has the rest.
type FanOut struct {
	Workload      string
	Topic         string
	Subscriptions []Subscribed

	Floors FanOutFloors
}

// Subscribed is one subscription.
type Subscribed struct {
	Queue   string
	Matches func(history.Key) bool
	Lossy   bool // while it is full it misses messages, and counts them
}

// FanOutFloors is how much has to have been seen.
type FanOutFloors struct {
	Confirmed int64
	Copies    int64
	Missed    int64
	Refused   int64 // because a subscription was full that may not miss any
}

func (f FanOut) Name() string { return "fan-out" }

// Check is linear in the operations, times the subscriptions.
func (f FanOut) Check(run *history.Run) Verdict {
	x := &spread{FanOut: f, run: run, v: NewVerdict(f.Name(), f.Workload)}
	for i := range run.Ops {
		if o := &run.Ops[i]; o.Workload == f.Workload && o.Queue == f.Topic && o.Kind == history.Publish {
			x.publishes = append(x.publishes, o)
		}
	}
	for _, s := range f.Subscriptions {
		x.copies = append(x.copies, newLedger(run, f.Workload, []string{s.Queue}))
	}
	if run.Drained == 0 {
		x.v.Add(KindUndrained, run.Stopped, "the run ended before the queues were empty")
	}
	known := map[history.Key]bool{}
	for _, p := range x.publishes {
		if known[p.Key] {
			x.v.Add(KindReusedKey, p.Call, "%s was published twice", p.Key)
		}
		known[p.Key] = true
		x.one(p)
	}
	for i, s := range f.Subscriptions {
		x.subscription(s, x.copies[i], known)
	}
	x.v.Saw("confirmed", x.confirmed, f.Floors.Confirmed)
	x.v.Saw("copies", x.seen, f.Floors.Copies)
	x.v.Saw("missed", x.missed, f.Floors.Missed)
	x.v.Saw("refused", x.refused, f.Floors.Refused)
	return x.v.Done()
}

// spread is one check under way.
type spread struct {
	FanOut
	run       *history.Run
	v         *Verdict
	publishes []*history.Op
	copies    []*ledger // by subscription

	confirmed, seen, missed, refused int64
}

// one judges where a message is.
func (x *spread) one(p *history.Op) {
	switch {
	case p.Outcome == history.Pending:
		x.v.Add(KindUnanswered, p.Call, "%s", p)
	case p.Outcome == history.OK:
		x.confirmed++
	case p.Code == "busy":
		x.refused++
	}
	var in, out []string // of those that may not miss any
	var ids []history.Witness
	for i, s := range x.Subscriptions {
		m := x.copies[i].byKey[p.Key]
		here := m != nil && m.delivered()
		if here {
			x.seen++
			x.copy(p, s, m)
			ids = append(ids, idsOf(m.source.deliveries, m.dead.deliveries)...)
		}
		switch {
		case !s.Matches(p.Key) || s.Lossy:
		case here:
			in = append(in, s.Queue)
		default:
			out = append(out, s.Queue)
		}
	}
	x.identity(p, ids)
	switch {
	case x.run.Drained == 0 || len(out) == 0:
	case p.Outcome == history.OK:
		x.v.Add(KindLost, p.Call, "not in %v: %s", out, p)
	case len(in) > 0:
		x.v.Add(KindHalf, p.Call, "in %v, and not in %v: %s", in, out, p)
	}
}

// copy judges one subscription's copy of a message.
func (x *spread) copy(p *history.Op, s Subscribed, m *message) {
	d := first(m)
	if !s.Matches(p.Key) {
		x.v.Add(KindUnmatched, d.Call, "%s", d)
	}
	if p.Outcome == history.Fail {
		x.v.Add(KindGhost, d.Call, "%s was refused (%s), and then: %s", p.Key, p.Code, d)
	}
	if d.Call < p.Call {
		x.v.Add(KindEarly, d.Call, "published at %.3fs: %s", float64(p.Call)/1e9, d)
	}
	if ids := idsOf(m.source.deliveries, m.dead.deliveries); len(ids) > 1 {
		x.v.Add(KindDoubled, d.Call, "%s has ids %v in %s", p.Key, ids, s.Queue)
	}
	if !m.finished() && x.run.Drained != 0 {
		x.v.Add(KindUnsettled, d.Call, "%s is gone, and nobody settled it: %s", p.Key, d)
	}
}

// identity: a message has one id in all subscriptions.
func (x *spread) identity(p *history.Op, ids []history.Witness) {
	if p.Outcome == history.OK && p.At != (history.Witness{}) {
		ids = append(ids, p.At)
	}
	if i := slices.IndexFunc(ids, func(id history.Witness) bool { return id != ids[0] }); i > 0 {
		x.v.Add(KindIdentity, p.Call, "%s and %s: %s", ids[0], ids[i], p)
	}
}

// subscription judges what a subscription counts.
func (x *spread) subscription(s Subscribed, copies *ledger, known map[history.Key]bool) {
	seen := uint64(0)
	for _, m := range copies.messages {
		if !m.delivered() {
			continue
		}
		seen++
		if !known[m.key] {
			x.v.Add(KindUnexpected, first(m).Call, "never published: %s", first(m))
		}
	}
	q, ok := ending(x.v, x.run, s.Queue)
	if !ok || x.run.Drained == 0 {
		return
	}
	x.missed += int64(q.Missed)
	least, most := uint64(0), uint64(0)
	for _, p := range x.publishes {
		if s.Matches(p.Key) && maybe(p) {
			most++
			if p.Outcome == history.OK {
				least++
			}
		}
	}
	switch all := seen + q.Missed; {
	case !s.Lossy && q.Missed > 0:
		x.v.Add(KindTotals, 0, "%s may miss nothing, and counts %d", s.Queue, q.Missed)
	case all < least:
		x.v.Add(KindLost, 0, "%s has %d messages and counts %d that it missed, of %d that were confirmed", s.Queue, seen, q.Missed, least)
	case all > most:
		x.v.Add(KindTotals, 0, "%s has %d messages and counts %d that it missed, of %d at the most", s.Queue, seen, q.Missed, most)
	}
}
